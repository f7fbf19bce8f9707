/* An open62541 server for the benchmark: server PORT TAGS. Its tags, t0, t1 ...
 * in namespace 1, all change every 100 ms. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <open62541/server.h>
#include <open62541/server_config_default.h>

static int tags;
static UA_NodeId *nodes;
static double now;

static void change(UA_Server *server, void *data) {
    (void)data;
    now += 0.1;
    for(int i = 0; i < tags; i++) {
        UA_Double v = 50 + sin(now + i);
        UA_Variant value;
        UA_Variant_setScalar(&value, &v, &UA_TYPES[UA_TYPES_DOUBLE]);
        UA_Server_writeValue(server, nodes[i], value);
    }
}

int main(int argc, char **argv) {
    if(argc != 3)
        return 2;
    tags = atoi(argv[2]);
    nodes = calloc((size_t)tags, sizeof *nodes);
    UA_ServerConfig config = {0};
    UA_ServerConfig_setMinimal(&config, (UA_UInt16)atoi(argv[1]), NULL);
    config.samplingIntervalLimits.min = 50;
    config.publishingIntervalLimits.min = 50;
    UA_Server *server = UA_Server_newWithConfig(&config);
    for(int i = 0; i < tags; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        UA_VariableAttributes attr = UA_VariableAttributes_default;
        UA_Double v = 0;
        UA_Variant_setScalar(&attr.value, &v, &UA_TYPES[UA_TYPES_DOUBLE]);
        nodes[i] = UA_NODEID_STRING_ALLOC(1, name);
        UA_Server_addVariableNode(server, nodes[i], UA_NS0ID(OBJECTSFOLDER), UA_NS0ID(ORGANIZES),
                                  UA_QUALIFIEDNAME(1, name), UA_NS0ID(BASEDATAVARIABLETYPE), attr, NULL, NULL);
    }
    UA_UInt64 id;
    UA_Server_addRepeatedCallback(server, change, NULL, 100, &id);
    if(UA_Server_run_startup(server) != UA_STATUSCODE_GOOD)
        return 1;
    printf("127.0.0.1:%s\n", argv[1]);
    fflush(stdout);
    while(1)
        UA_Server_run_iterate(server, true);
}
