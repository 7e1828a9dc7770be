#!/usr/bin/env bash
# The run behind today's exlm-small, in stages of an hour or two: each goes on from the weights of the one before, on molecules
# that none has seen, and decays to a rate of zero, so that every stage ends with a model worth shipping. One core.
#   2: from the weights that shipped in 0.1.0 (exlm and descriptors, AdamW, two hours); the first 220,000 lines of corpus-01
#   3: from stage 2; the first 340,000 lines of corpus-02, MINUTES=90
# Usage, in a checkout: bash benchmarks/next_stage.sh START CORPUS.smi.gz, where START is a directory with the weights so far.
set -euo pipefail
export OMP_NUM_THREADS=1
exec nice -n 19 .venv/bin/exlm-chem pretrain "$2" -o "${RUN:-runs/next-stage}" --init-from "$1" --objective exlm --states 4 \
    --mask-ratio 0.2 --guided 0.1 --molecule-objective descriptors,ecfp --unmasked 0.3 --randomise 0.3 --ema 0.999 \
    --optimizer muon --learning-rate 2e-3 --precision bf16 --max-time "${MINUTES:-85}m" --no-check --seed 0 --resume
