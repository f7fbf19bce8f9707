# Reads the CSV files of a data set with pandas and prints some sums as JSON.
import glob
import json
import sys

import pandas

files = sorted(glob.glob(sys.argv[1] + "/data-*.csv"))
d = pandas.concat([pandas.read_csv(f) for f in files])
events = pandas.read_csv(sys.argv[1] + "/events.csv")
sensors = [c for c in d.columns if not c.startswith("label/")]
print(json.dumps({
    "n": len(d),
    "runs": d["run"].nunique(),
    "amps": float(d["pump/motor/current"].astype("float64").sum()),
    "known": int(d["pump/motor/current"].notna().sum()),
    "good": float(d["filler/count/good"].sum()),
    "worn": int(d["label/pump/mode"].notna().sum()),
    "numbers": int(all(d[c].dtype.kind in "if" for c in sensors) and events["time_s"].dtype.kind == "f"),
}))
