// A node-opcua server for the benchmark: node server.cjs PORT TAGS FOLDER. Its
// tags, t0, t1 ... in namespace 1, all change every 100 ms.
"use strict";
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const { DataType } = require("node-opcua-variant");

async function main() {
  const [port, tags, folder] = process.argv.slice(2);
  const manager = new OPCUACertificateManager({ rootFolder: folder + "/pki", automaticallyAcceptUnknownCertificate: true });
  const server = new OPCUAServer({
    port: Number(port), hostname: "127.0.0.1", serverCertificateManager: manager, userCertificateManager: manager,
    securityModes: [MessageSecurityMode.None], securityPolicies: [SecurityPolicy.None], allowAnonymous: true,
    serverCapabilities: { maxMonitoredItemsPerSubscription: 1000000, maxMonitoredItems: 1000000, maxSubscriptions: 1000, maxSessions: 1000 },
  });
  await server.initialize();
  const space = server.engine.addressSpace.getOwnNamespace();
  const list = [];
  for (let i = 0; i < Number(tags); i++) {
    list.push(space.addVariable({
      organizedBy: server.engine.addressSpace.rootFolder.objects, browseName: "t" + i, nodeId: "s=t" + i, dataType: "Double", minimumSamplingInterval: 100,
      value: { dataType: DataType.Double, value: 0 },
    }));
  }
  let now = 0;
  setInterval(() => {
    now += 0.1;
    for (let i = 0; i < list.length; i++) list[i].setValueFromSource({ dataType: DataType.Double, value: 50 + Math.sin(now + i) });
  }, 100);
  await server.start();
  console.log("127.0.0.1:" + port);
}

main().catch((err) => { console.error(err); process.exit(1); });
