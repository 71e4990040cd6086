"""What chance finds: damaged caches and files, killed builds, mutants, and programs that disagree.

Artifacts and programs are mutated, and programs are made from nothing, which an interpreter judges.
Every case has a number, which is its seed. `pytest --all tests/faults` runs a few of each kind,
always the same; a long run is

    python -m tests.faults --faults 10000 --kills 200 --artifacts 50000 --programs 200000 --seed 7

which prints what it found, each with the command that runs that case alone.
"""
