// A walk by node-opcua through a whole address space: node walk.cjs URL
//
// It follows every reference from Root, reads every attribute of every node
// that it meets, and prints one JSON object: how many nodes there are, and what
// is odd about them by Parts 3 and 4 of the standard.
"use strict";
const { OPCUAClient, AttributeIds: A, BrowseDirection, NodeClass, DataType, resolveNodeId } = require("node-opcua-client");

const attributes = Object.values(A).filter((v) => typeof v === "number" && v >= 1 && v <= 27);
const everyNode = { must: [A.NodeId, A.NodeClass, A.BrowseName, A.DisplayName], may: [5, 6, 7, 24, 25, 26] };
const classes = {
  Object: { must: [A.EventNotifier], may: [] },
  Variable: { must: [A.Value, A.DataType, A.ValueRank, A.AccessLevel, A.UserAccessLevel, A.Historizing], may: [A.ArrayDimensions, A.MinimumSamplingInterval, 27] },
  Method: { must: [A.Executable, A.UserExecutable], may: [] },
  ObjectType: { must: [A.IsAbstract], may: [] },
  VariableType: { must: [A.IsAbstract, A.DataType, A.ValueRank], may: [A.Value, A.ArrayDimensions] },
  ReferenceType: { must: [A.IsAbstract, A.Symmetric], may: [A.InverseName] },
  DataType: { must: [A.IsAbstract], may: [23] },
  View: { must: [A.ContainsNoLoops, A.EventNotifier], may: [] },
};
const hierarchical = "ns=0;i=33", subtype = "ns=0;i=45", property = "ns=0;i=46", component = "ns=0;i=47", typeDefinition = "ns=0;i=40", propertyType = "ns=0;i=68", encodingType = "ns=0;i=76";

const refs = new Map(); // of each node, by its id
const nodes = new Map(); // the attributes of each node, by number
const odd = [];
const say = (id, what) => odd.push(`${id} ${what}`);
const get = (id, attribute) => { const v = nodes.get(id)[attribute]; return v.statusCode.name === "Good" ? v.value.value : undefined; };
const classOf = (id) => NodeClass[get(id, A.NodeClass)];

// up is what a type stands below.
function up(id) {
  const r = (refs.get(id) || []).find((r) => !r.isForward && r.referenceTypeId.toString() === subtype);
  return r && r.nodeId.toString();
}
function isA(id, above) {
  for (let n = 0; id && n < 50; n++, id = up(id)) if (id === above) return true;
  return false;
}
// builtIn is the number of the built-in type of a data type's values, 0 for any.
function builtIn(id) {
  for (let n = 0; id && n < 50; n++, id = up(id)) {
    if (id === "ns=0;i=29") return DataType.Int32; // enumerations
    const m = /^ns=0;i=(\d+)$/.exec(id);
    if (m && +m[1] >= 26 && +m[1] <= 28 || id === "ns=0;i=24") return 0;
    if (m && +m[1] <= 25) return +m[1];
  }
  return undefined;
}

async function follow(session) {
  const seen = new Set(["ns=0;i=84"]), queue = [resolveNodeId("i=84")];
  const meet = (id) => { if (!seen.has(id.toString())) { seen.add(id.toString()); queue.push(id); } };
  while (queue.length > 0) {
    const batch = queue.splice(0, 50);
    const results = await session.browse(batch.map((nodeId) => ({ nodeId, browseDirection: BrowseDirection.Both, includeSubtypes: true, nodeClassMask: 0, resultMask: 63 })));
    for (let i = 0; i < batch.length; i++) {
      let r = results[i];
      if (r.statusCode.name !== "Good") say(batch[i], "cannot be browsed: " + r.statusCode.name);
      const list = [...(r.references || [])];
      while (r.continuationPoint) { r = await session.browseNext(r.continuationPoint, false); list.push(...r.references); }
      refs.set(batch[i].toString(), list);
      for (const x of list) { meet(x.nodeId); meet(x.referenceTypeId); }
    }
  }
  const ids = [...seen];
  for (let i = 0; i < ids.length; i += 20) {
    const some = ids.slice(i, i + 20);
    const values = await session.read(some.flatMap((nodeId) => attributes.map((attributeId) => ({ nodeId, attributeId }))));
    for (const id of some) nodes.set(id, Object.fromEntries(attributes.map((a) => [a, values.shift()])));
  }
}

function lookAtAttributes(id) {
  const { must, may } = classes[classOf(id)];
  for (const a of attributes) {
    const status = nodes.get(id)[a].statusCode.name;
    const wanted = must.includes(a) || everyNode.must.includes(a), allowed = may.includes(a) || everyNode.may.includes(a);
    if (wanted && status !== "Good" || !wanted && status !== "BadAttributeIdInvalid" && !(allowed && status === "Good")) say(id, `attribute ${a} is ${status}`);
  }
  if (get(id, A.NodeId).toString() !== id) say(id, "says it is " + get(id, A.NodeId));
  if (!get(id, A.BrowseName).name || !get(id, A.DisplayName).text) say(id, "has no name");
}

function lookAtReferences(id) {
  const list = refs.get(id), kind = classOf(id), once = new Set(), names = new Map();
  const types = list.filter((r) => r.isForward && r.referenceTypeId.toString() === typeDefinition);
  if (types.length !== (kind === "Object" || kind === "Variable" ? 1 : 0)) say(id, `has ${types.length} type definitions`);
  for (const t of types) {
    if (classOf(t.nodeId.toString()) !== kind + "Type") say(id, "has a type definition that is none: " + t.nodeId);
    else if (get(t.nodeId.toString(), A.IsAbstract)) say(id, "is of an abstract type: " + t.nodeId);
  }
  const encoding = types.some((t) => t.nodeId.toString() === encodingType); // hangs on its data type alone
  if (id !== "ns=0;i=84" && !encoding && !list.some((r) => !r.isForward && isA(r.referenceTypeId.toString(), hierarchical))) say(id, "hangs in the air");
  for (const r of list) {
    const to = r.nodeId.toString(), by = r.referenceTypeId.toString(), key = [r.isForward, by, to].join();
    if (once.has(key)) say(id, "has a reference twice: " + key);
    once.add(key);
    const back = refs.get(to).some((x) => x.nodeId.toString() === id && x.isForward !== r.isForward && x.referenceTypeId.toString() === by);
    const shared = by === component && classOf(to) === "Method" && to.startsWith("ns=0;"); // a method of the type
    if (!back && by !== typeDefinition && !shared) say(id, `→ ${to} by ${by} has no way back`);
    if (classOf(to) !== NodeClass[r.nodeClass] || r.browseName.toString() !== get(to, A.BrowseName).toString() || r.displayName.text !== get(to, A.DisplayName).text) say(id, `describes ${to} as another`);
    const own = refs.get(to).find((x) => x.isForward && x.referenceTypeId.toString() === typeDefinition);
    const said = r.typeDefinition ? r.typeDefinition.toString() : "ns=0;i=0";
    if (said !== (own ? own.nodeId.toString() : "ns=0;i=0")) say(id, `says ${to} is of type ${said}`);
    if (r.isForward && isA(by, hierarchical) && (by === property) !== (said === propertyType)) say(id, `has ${to} of type ${said} by ${by}`);
    if (r.isForward && isA(by, "ns=0;i=44")) {
      const name = r.browseName.toString();
      if (names.has(name) && names.get(name) !== to) say(id, "has two children named " + name);
      names.set(name, to);
    }
  }
}

function lookAtValue(id) {
  const type = get(id, A.DataType).toString(), rank = get(id, A.ValueRank), dims = get(id, A.ArrayDimensions), v = nodes.get(id)[A.Value];
  if (!refs.has(type)) say(id, `is of the data type ${type}, which is no node`);
  if (dims && dims.length !== Math.max(rank, 0)) say(id, `has ${dims.length} dimensions and rank ${rank}`);
  if (get(id, A.UserAccessLevel) & ~get(id, A.AccessLevel)) say(id, "lets a user do what nobody can");
  if (v.statusCode.name !== "Good") return;
  const want = builtIn(type), is = v.value.dataType;
  if (want === undefined || want !== 0 && is !== want) say(id, `has a ${DataType[is]} and the data type ${type}`);
  if (rank === -1 && v.value.arrayType !== 0 || rank >= 0 && v.value.arrayType === 0) say(id, `has rank ${rank} and another value`);
}

async function main() {
  const client = OPCUAClient.create({ endpointMustExist: false, connectionStrategy: { maxRetry: 1 } });
  await client.connect(process.argv[2]);
  const session = await client.createSession();
  await follow(session);
  for (const id of nodes.keys()) {
    if (!classes[classOf(id)]) { say(id, "has no node class"); continue; }
    lookAtAttributes(id);
    lookAtReferences(id);
    if (classOf(id) === "Variable") lookAtValue(id);
  }
  await session.close();
  await client.disconnect();
  console.log(JSON.stringify({ nodes: nodes.size, odd }));
}

main().then(() => process.exit(0), (err) => { console.log(JSON.stringify({ nodes: nodes.size, odd: [String(err && err.stack)] })); process.exit(1); });
