#!/usr/bin/env bash
# The run behind today's exlm-small: 85 minutes on one core, from the weights that shipped in 0.1.0 (exlm and descriptors,
# AdamW, two hours), with Muon and the ecfp objective. Corpus: the first 220,000 lines of corpus-01.smi.gz.
# Usage, in a checkout: bash benchmarks/second_stage.sh START CORPUS.smi.gz, where START is a directory with those weights.
set -euo pipefail
export OMP_NUM_THREADS=1
exec nice -n 19 .venv/bin/exlm-chem pretrain "$2" -o "${RUN:-runs/second-stage}" --init-from "$1" --objective exlm --states 4 \
    --mask-ratio 0.2 --guided 0.1 --molecule-objective descriptors,ecfp --unmasked 0.3 --randomise 0.3 --ema 0.999 \
    --optimizer muon --learning-rate 2e-3 --precision bf16 --max-time 85m --no-check --seed 0 --resume
