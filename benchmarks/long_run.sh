#!/usr/bin/env bash
# The run behind exlm-small: about 14 hours of two CPU cores. It ends whenever the machine's work is interrupted; the
# same line goes on from the last checkpoint. Usage, in a checkout: bash benchmarks/long_run.sh CORPUS.smi.gz...
set -euo pipefail
export OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=0
exec nice -n 19 .venv/bin/exlm-chem pretrain "$@" -o "${RUN:-runs/small-exlm}" --preset small --objective exlm --states 4 \
    --mask-ratio 0.2 --guided 0.1 --molecule-objective descriptors,ecfp --unmasked 0.3 --randomise 0.3 --ema 0.999 \
    --optimizer muon --learning-rate 3e-3 --precision bf16 --epochs "${EPOCHS:-3.5}" --no-check --seed 0 --resume
