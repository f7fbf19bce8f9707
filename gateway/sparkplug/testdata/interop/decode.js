// Reads Sparkplug B payloads, one per line in base64, and prints each as JSON.
const spb = require("sparkplug-payload").get("spBv1.0");
const plain = (_, v) => {
  if (v && typeof v === "object" && typeof v.low === "number" && typeof v.toNumber === "function") return v.toNumber();
  return typeof v === "bigint" ? Number(v) : v;
};
for (const line of require("fs").readFileSync(0, "utf8").split("\n")) {
  if (line) console.log(JSON.stringify(spb.decodePayload(Buffer.from(line, "base64")), plain));
}
