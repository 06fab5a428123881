"""Hands numbers from standard input to Weights & Biases, by its own client.

The first line says what the run is called, every other one is a record: a step and its values. Started by wandb.ts.
"""

import json
import sys

try:
    import wandb
except ImportError as error:
    print(f"missing {error}", flush=True)
    sys.exit(3)

print("found", flush=True)
about = json.loads(sys.stdin.readline())
run = wandb.init(name=about["name"], job_type=about["role"], config=about["config"])
print("running", flush=True)
for line in sys.stdin:
    record = json.loads(line)
    run.log(record["values"], step=record["step"])
run.finish()
