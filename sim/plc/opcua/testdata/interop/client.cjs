// An OPC UA client by node-opcua: node client.cjs URL MODE FOLDER
//
// MODE is a security policy and mode, such as None/None or
// Basic256Sha256/SignAndEncrypt; FOLDER is where its certificates go. It prints
// one JSON object per line, each with what it did and what came of it, and
// {"step":"ready"} when its connection may be cut.
"use strict";
const {
  OPCUAClient, MessageSecurityMode, SecurityPolicy, AttributeIds, TimestampsToReturn, ClientSubscription,
  ClientMonitoredItem, DataChangeFilter, DataChangeTrigger, DeadbandType, DataType, makeBrowsePath, UserTokenType,
  constructEventFilter, callConditionRefresh, ofType, resolveNodeId,
} = require("node-opcua-client");
const { NumericRange } = require("node-opcua-numeric-range");
const { promoteOpaqueStructure } = require("node-opcua-client-dynamic-extension-object");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");

const [url, mode, folder] = process.argv.slice(2);
const [policy, security] = mode.split("/");
const say = (step, more) => console.log(JSON.stringify({ step, ...more }));
const node = (id) => "ns=2;s=" + id;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// alarms listens to the server's alarms, has one raised, acknowledges it and
// asks for what is retained.
async function alarms(session) {
  const subscription = ClientSubscription.create(session, { requestedPublishingInterval: 50, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 10, maxNotificationsPerPublish: 1000, publishingEnabled: true });
  const fields = ["EventId", "SourceName", "ActiveState.Id", "AckedState.Id", "Retain", "ConditionName", "EventType", "SuppressedOrShelved", "EnabledState.Id"];
  const events = [];
  const item = ClientMonitoredItem.create(subscription, { nodeId: resolveNodeId("Server"), attributeId: AttributeIds.EventNotifier },
    { samplingInterval: 0, queueSize: 100, discardOldest: true, filter: constructEventFilter(fields, ofType("AlarmConditionType")) }, TimestampsToReturn.Both);
  item.on("changed", (v) => events.push(v.map((f) => f.value)));
  await new Promise((done, fail) => { item.on("initialized", done); item.on("err", fail); });
  say("raise an alarm", {});
  const wait = async (n) => { while (events.length < n) await sleep(10); };
  await wait(1);
  const acked = await session.acknowledgeCondition(node("oven/zone.Alarm"), events[0][0], "seen");
  await wait(2);
  const refreshed = await callConditionRefresh(session, subscription.subscriptionId);
  await wait(5);
  const method = async (object, name, ...args) => (await session.call({ objectId: node(object), methodId: resolveNodeId(name), inputArguments: args })).statusCode.name;
  const zone = "oven/zone.Alarm", machine = zone + ".ShelvingState";
  const found = (await session.browse({ nodeId: node(machine), browseDirection: 0, resultMask: 63 })).references.map((r) => r.browseName.toString());
  say("shelving", {
    methods: ["TimedShelve", "OneShotShelve", "Unshelve"].filter((n) => found.includes(n)).length,
    timed: await method(machine, "i=2949", { dataType: DataType.Double, value: 60000 }),
    again: await method(machine, "i=2949", { dataType: DataType.Double, value: 60000 }),
    once: await method(zone, "i=9212"),
    off: await method(zone, "i=9211"),
    offAgain: await method(zone, "i=9211"),
  });
  await wait(8);
  const last = () => events[events.length - 1][0];
  say("condition", { // the client's own enable and disable do nothing
    comment: (await session.addCommentCondition(node(zone), last(), "noted")).name,
    confirm: (await session.confirmCondition(node(zone), last(), "done")).name,
    disable: await method(zone, "i=9028"),
    disabled: (await session.addCommentCondition(node(zone), last(), "x")).name,
    enable: await method(zone, "i=9027"),
  });
  await wait(12);
  say("alarms", { acknowledge: acked.name, refresh: refreshed.name, events: events.slice(0, 5).map((e) => [e[1], e[2], e[3], e[4]]), shelved: events.slice(5, 8).map((e) => e[7]), enabled: events.slice(8, 12).map((e) => e[8]) });
  await subscription.terminate();
}

// models looks at a machine as Machinery and PackML have it, and at arrays.
async function models(session) {
  const namespaces = await session.readNamespaceArray();
  const di = namespaces.indexOf("http://opcfoundation.org/UA/DI/"), machinery = namespaces.indexOf("http://opcfoundation.org/UA/Machinery/"), packml = namespaces.indexOf("http://opcfoundation.org/UA/PackML/");
  const value = async (nodeId) => { const v = await session.read({ nodeId, attributeId: AttributeIds.Value }); return v.statusCode.isGood() ? v.value.value : v.statusCode.name; };
  const machines = (await session.browse(`ns=${machinery};i=1001`)).references;
  const plate = await session.translateBrowsePath(makeBrowsePath(machines[0].nodeId, `/${di}:Identification/${di}:Model`));
  const count = await session.translateBrowsePath(makeBrowsePath(machines[0].nodeId, `/${packml}:Admin/${packml}:ProdProcessedCount`));
  const execute = await session.translateBrowsePath(makeBrowsePath(machines[0].nodeId, `/${packml}:BaseStateMachine/${packml}:MachineState/${packml}:ExecuteState/CurrentState`));
  await session.extractNamespaceDataType();
  const counts = await session.read({ nodeId: count.targets[0].targetId, attributeId: AttributeIds.Value });
  await promoteOpaqueStructure(session, [counts]);
  say("machine", {
    name: machines[0].browseName.name, model: (await value(plate.targets[0].targetId)).text, state: (await value(execute.targets[0].targetId)).text,
    made: counts.value.value[0].count, of: counts.value.value[0].name,
  });
  const part = await session.read({ nodeId: node("oven/recipe"), attributeId: AttributeIds.Value, indexRange: new NumericRange("1:2") });
  const wrote = await session.write({ nodeId: node("oven/recipe"), attributeId: AttributeIds.Value, indexRange: new NumericRange("0"), value: { value: { dataType: DataType.Double, arrayType: 1, value: new Float64Array([1]) } } });
  const arrays = [];
  const subscription = ClientSubscription.create(session, { requestedPublishingInterval: 50, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 10, maxNotificationsPerPublish: 1000, publishingEnabled: true });
  const item = ClientMonitoredItem.create(subscription, { nodeId: node("pump/all"), attributeId: AttributeIds.Value, indexRange: new NumericRange("1") }, { samplingInterval: 100, queueSize: 100, discardOldest: true }, TimestampsToReturn.Both);
  item.on("changed", (v) => arrays.push(v.value.value[0]));
  while (arrays.length < 20) await sleep(10);
  await subscription.terminate();
  say("arrays", { part: Array.from(part.value.value), wrote: wrote.name, after: Array.from(await value(node("oven/recipe"))), text: await value(node("oven/batch")), changes: arrays });
  const guids = await value(node("types/guid")), stamps = await value(node("types/datetime"));
  say("types", { guid: guids, date: stamps.toISOString(), bytes: (await value(node("types/bytestring"))).toString() });
  const model = namespaces.indexOf("http://example.org/line/");
  say("model", { recipe: Array.from(await value(`ns=${model};s=Filler.Recipe`)), speed: await value(`ns=${model};s=Filler.Speed`), type: (await session.browse({ nodeId: `ns=${model};s=Filler`, browseDirection: 0, referenceTypeId: "HasTypeDefinition", resultMask: 63 })).references[0].browseName.name });
}

const monitorOn = (subscription, id, into) => {
  const item = ClientMonitoredItem.create(subscription, { nodeId: node(id), attributeId: AttributeIds.Value }, { samplingInterval: 100, queueSize: 2000, discardOldest: true }, TimestampsToReturn.Both);
  item.on("changed", (v) => into.push(v.value.value));
  return new Promise((done, fail) => { item.on("initialized", done); item.on("err", fail); });
};

// transfer moves a subscription to a session of another client of the same user.
async function transfer(client, session, monitor) {
  const subscription = ClientSubscription.create(session, { requestedPublishingInterval: 50, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 10, maxNotificationsPerPublish: 1000, publishingEnabled: true });
  const values = [];
  await monitor(subscription, "pump/flow", values);
  while (values.length < 10) await sleep(10);
  const other = await client.createSession({ type: UserTokenType.UserName, userName: "operator", password: "x" });
  const stolen = await other.transferSubscriptions({ subscriptionIds: [subscription.subscriptionId], sendInitialValues: false });
  const same = await client.createSession();
  const moved = await same.transferSubscriptions({ subscriptionIds: [subscription.subscriptionId], sendInitialValues: false });
  say("transfer", { stolen: stolen.results[0].statusCode.name, moved: moved.results[0].statusCode.name });
  await other.close();
  await same.close();
  say("user", { accepted: "Good" });
  let denied = "accepted";
  try { await client.createSession({ type: UserTokenType.UserName, userName: "operator", password: "y" }); } catch (err) { denied = err.message; }
  say("wrong password", { text: denied });
}

async function main() {
  const client = OPCUAClient.create({
    endpointMustExist: false,
    securityMode: MessageSecurityMode[security],
    securityPolicy: SecurityPolicy[policy],
    connectionStrategy: { initialDelay: 50, maxDelay: 200, maxRetry: 50 },
    requestedSessionTimeout: 60000,
    clientCertificateManager: new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true }),
  });
  await client.connect(url);
  say("endpoints", { urls: (await client.getEndpoints()).map((e) => e.endpointUrl) });
  const session = await client.createSession();

  const below = await session.browse("ObjectsFolder");
  say("browse", { names: below.references.map((r) => r.browseName.toString()) });
  const path = await session.translateBrowsePath(makeBrowsePath("RootFolder", "/Objects/2:pump/2:motor/2:current"));
  say("translate", { status: path.statusCode.name, id: path.targets[0].targetId.toString() });

  const read = await session.read({ nodeId: node("pump/motor/bearing/temp"), attributeId: AttributeIds.Value }, 0);
  say("read", { value: read.value.value, type: DataType[read.value.dataType], status: read.statusCode.name, source: read.sourceTimestamp.toISOString() });
  const units = await session.read({ nodeId: node("pump/motor/speed.EngineeringUnits"), attributeId: AttributeIds.Value });
  say("units", { name: units.value.value.displayName.text });
  const info = await session.read({ nodeId: "i=2256", attributeId: AttributeIds.Value });
  say("status", { state: info.value.value.state, product: info.value.value.buildInfo.productName });

  const sessions = (await session.read({ nodeId: "i=3707", attributeId: AttributeIds.Value })).value.value;
  const secured = (await session.read({ nodeId: "i=3708", attributeId: AttributeIds.Value })).value.value;
  say("diagnostics", { sessions: sessions.length, reads: sessions[0].readCount.totalCount > 0, policy: secured[0].securityPolicyUri.split("#")[1], named: sessions[0].sessionName !== "" });

  const write = async (id, value) => (await session.write({ nodeId: node(id), attributeId: AttributeIds.Value, value: { value: { dataType: DataType.Double, value } } })).name;
  say("write", { accepted: await write("oven/setpoint", 150), refused: await write("pump/motor/current", 1) });

  const subscription = ClientSubscription.create(session, { requestedPublishingInterval: 50, requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 10, maxNotificationsPerPublish: 1000, publishingEnabled: true });
  const every = [], coarse = [];
  const monitor = (id, into, queueSize, filter) => {
    const item = ClientMonitoredItem.create(subscription, { nodeId: node(id), attributeId: AttributeIds.Value }, { samplingInterval: 100, queueSize, discardOldest: true, filter }, TimestampsToReturn.Both);
    item.on("changed", (v) => into.push(v.value.value));
    return new Promise((done, fail) => { item.on("initialized", () => done(item.result.revisedQueueSize)); item.on("err", fail); });
  };
  await monitor("pump/flow", every, 2000);
  while (every.length < 50) await sleep(10);
  let back = 0;
  client.on("connection_reestablished", () => back++);
  say("ready", {});
  while (back === 0) await sleep(10);
  const more = every.length + 50;
  while (every.length < more) await sleep(10);
  const queue = await monitor("pump/vibration", coarse, 20, new DataChangeFilter({ trigger: DataChangeTrigger.StatusValue, deadbandType: DeadbandType.Absolute, deadbandValue: 4 }));
  while (coarse.length < 20) await sleep(10);
  await subscription.terminate();
  say("samples", { every, coarse, back, queue });
  await models(session);

  const called = await session.call({ objectId: node("oven"), methodId: node("oven.SetSetpoint"), inputArguments: [{ dataType: DataType.Double, value: 175 }] });
  say("call", { status: called.statusCode.name });
  const refused = await session.call({ objectId: node("oven"), methodId: node("oven.SetSetpoint"), inputArguments: [{ dataType: DataType.Double, value: 1e9 }] });
  say("call out of range", { status: refused.statusCode.name });

  const past = await session.readHistoryValue(node("pump/flow"), new Date("2026-03-01T12:00:00Z"), new Date("2026-03-02T12:00:00Z"));
  say("history", { status: past.statusCode.name, values: past.historyData.dataValues.filter((v) => v.statusCode.name === "Good").map((v) => v.value.value) }); // it asks for bounds, which are not all there

  await alarms(session);
  await transfer(client, session, monitorOn);
  await session.close();
  await client.disconnect();
}

main().then(() => process.exit(0), (err) => { say("error", { text: String(err && err.stack) }); process.exit(1); });
