#!/usr/bin/env bash
# The run behind today's exlm-small, in stages of an hour or two: each goes on from the weights of the one before, on molecules
# that none has seen, and decays to a rate of zero, so that every stage ends with a model worth shipping. One core.
#   2: from the weights that shipped in 0.1.0 (exlm and descriptors, AdamW, two hours); the first 220,000 lines of corpus-01
#   3: from stage 2; the first 340,000 lines of corpus-02, MINUTES=90
# a fourth, which does not ship: twice from stage 3, MINUTES=95 PRECISION=fp32 (no bfloat16), a core each; then the mean of their weights
#      a: the first 300,000 lines of corpus-03
#      b: the first 300,000 lines of what people ask about, small molecules and the sources of drugs and measured chemicals:
#         paste -d' ' <(zcat corpus-0*.smi.gz) <(zcat corpus-0*.src.gz) | awk '$2 ~ /^[AEFGIJKMNQR]$/ || length($1) <= 20 {print $1}'
# and a stage with labels, of the tables that benchmarks/label_tables.py writes, whose molecules are learnt from, too:
#   from stage 3; the first 150,000 lines of corpus-03, MINUTES=55 UNMASKED=0.5 LABELS=runs/labels
# Usage, in a checkout: bash benchmarks/next_stage.sh START CORPUS.smi.gz, where START is a directory with the weights so far.
set -euo pipefail
export OMP_NUM_THREADS=1
tables=()
[[ -z "${LABELS:-}" ]] || tables=("$LABELS"/*.csv)
objectives=$(IFS=,; echo "descriptors,ecfp${tables[*]:+,}${tables[*]/#/labels:}")
exec nice -n "${NICE:-19}" .venv/bin/exlm-chem pretrain "$2" "${tables[@]}" -o "${RUN:-runs/next-stage}" --init-from "$1" --objective exlm \
    --states 4 --mask-ratio 0.2 --guided 0.1 --molecule-objective "$objectives" --unmasked "${UNMASKED:-0.3}" --randomise 0.3 --ema 0.999 \
    --optimizer muon --learning-rate 2e-3 --precision "${PRECISION:-bf16}" --max-time "${MINUTES:-85}m" --no-check --seed 0 --resume
