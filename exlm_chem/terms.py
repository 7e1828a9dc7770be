"""Words that several rooms share: what an option may be. Nothing heavy is imported: ``--help`` reads them."""

from typing import Literal

Scheme = Literal["lossless", "atomwise", "selfies"]
"""How SMILES are cut into tokens."""

Reads = Literal["molecule", "text"]
"""What a line holds that a tokenizer reads."""

Preset = Literal["tiny", "small", "base", "paper"]
"""Sizes of the model."""

Objective = Literal["exlm", "mlm"]
"""What pretraining maximises: expanded states and alignment, or the plain masked language model."""

StateGraphKind = Literal["full", "next", "even", "lanes"]
"""Where transitions lead: to all later states; to those of the next mask; to these with equal probabilities; or from a
state to that of the same number only, after a first choice with equal probabilities."""

MoleculeObjective = Literal["descriptors", "ecfp"]
"""What the embedding must predict besides, as one value or many of a whole molecule."""

MaskUnit = Literal["token", "span", "fragment"]
"""What is masked together: single tokens, neighbouring ones, or the tokens of a BRICS fragment."""

Schedule = Literal["linear", "cosine"]
"""The course of the learning rate."""

OptimizerName = Literal["muon", "adamw"]
"""What moves the weights."""

Precision = Literal["auto", "fp32", "bf16", "fp16"]
"""The precision of the matrix products."""

FinetuningPrecision = Literal["fp32", "bf16", "auto"]
"""Of the products of matrices while an encoder is fine-tuned; "auto" is bf16 where the device has it in hardware."""

EmbeddingPrecision = Literal["fp32", "bf16", "int8", "auto"]
"""The precision of an encoder that is only used: bf16 with torch, int8 with onnx."""

VectorType = Literal["float32", "float16", "int8"]
"""How the numbers of vectors are kept in a file."""

BackendName = Literal["auto", "torch", "onnx"]
"""What an encoder runs on."""

EngineName = Literal["local", "ray"]
"""Where the rows of a file are answered: in this process, or by workers of Ray."""

TrainingDevice = Literal["auto", "cpu"]
"""Where a model is trained: the GPUs if there are any, or the processor."""

Logger = Literal["tensorboard", "wandb"]
"""Where measurements go besides ``metrics.csv``."""

Pooling = Literal["mean", "mean+middle", "mean+max", "first", "states"]
"""How one vector is made of a molecule: mean over the tokens that are not special; twice as long, that mean and then
that of the middle layer, or the largest of each number; the first state of ``<s>``, or all of them, side by side."""

Standardise = Literal["none", "fragment", "parent"]
"""What is done to a molecule first: nothing, its largest fragment, or the neutral parent of that."""

Kind = Literal["classification", "regression"]
"""What labels are."""

Transform = Literal["none", "log10", "p:M", "p:mM", "p:uM", "p:nM", "p:pM"]
"""What is learnt of measured values: themselves, their logarithm, or of concentrations in a unit -log10 of mol/L."""

BlockName = Literal["exlm", "ecfp", "descriptors"]
"""Blocks of features that follow from the molecule: vectors of the encoder, fingerprint, descriptors."""

Method = Literal["head", "lora", "full"]
"""What fine-tuning trains: heads on a frozen encoder, low-rank changes of it, or everything together."""

ConformalRule = Literal["all", "class"]
"""What the coverage of sets of classes is stated for: all molecules together, or each class by itself."""

AlertList = Literal["pains", "brenk", "nih", "zinc"]
"""Lists of structural alerts."""

OnInvalid = Literal["flag", "skip", "raise"]
"""What happens to a row without an answer: it gives the reason, is left out, or ends the run."""

OnInvalidMolecule = Literal["nan", "raise"]
"""What happens in Python to a molecule that cannot be read: a row of NaN, or an error that says which one and why."""
