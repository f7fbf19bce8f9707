// node-opcua's client against a served plant: node serve-client.cjs URL
//
// It prints a line of JSON for each thing that it did, and {"step":"ready"}
// when the controller may be taken down.
"use strict";
const { OPCUAClient, AttributeIds, TimestampsToReturn, ClientSubscription, ClientMonitoredItem, makeBrowsePath } = require("node-opcua-client");

const say = (step, more) => console.log(JSON.stringify({ step, ...more }));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function main() {
  const url = process.argv[2];
  const client = OPCUAClient.create({ endpointMustExist: true, connectionStrategy: { initialDelay: 50, maxDelay: 200, maxRetry: 100 }, requestedSessionTimeout: 20000 });
  await client.connect(url);
  const session = await client.createSession();
  const namespaces = await session.readNamespaceArray();
  const machinery = namespaces.indexOf("http://opcfoundation.org/UA/Machinery/");
  const machines = (await session.browse(`ns=${machinery};i=1001`)).references.map((r) => r.browseName.name);
  const path = await session.translateBrowsePath(makeBrowsePath("ObjectsFolder", "/2:pump/2:motor/2:current"));
  const read = await session.read({ nodeId: path.targets[0].targetId, attributeId: AttributeIds.Value });
  say("read", { machines, status: read.statusCode.name, value: read.value.value, id: path.targets[0].targetId.toString() });

  const subscription = ClientSubscription.create(session, { requestedPublishingInterval: 100, requestedLifetimeCount: 100, requestedMaxKeepAliveCount: 10, maxNotificationsPerPublish: 100, publishingEnabled: true });
  const item = ClientMonitoredItem.create(subscription, { nodeId: path.targets[0].targetId, attributeId: AttributeIds.Value }, { samplingInterval: 100, queueSize: 20, discardOldest: true }, TimestampsToReturn.Both);
  let values = 0, back = 0;
  item.on("changed", (v) => { if (v.statusCode.isGood()) values++; });
  client.on("connection_reestablished", () => back++);
  while (values < 5) await sleep(10);
  say("ready", {});
  while (back === 0) await sleep(10);
  values = 0;
  while (values < 5) await sleep(10);
  say("again", { values: values >= 5 });
  const reset = await session.call({ objectId: "ns=2;s=pump", methodId: "ns=2;s=pump.Reset", inputArguments: [] });
  say("reset", { status: reset.statusCode.name });
  await session.close();
  await client.disconnect();
}

main().then(() => process.exit(0), (err) => { say("error", { text: String(err && err.stack) }); process.exit(1); });
