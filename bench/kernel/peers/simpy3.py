"""M/M/1 for SimPy 3 (Debian's python3-simpy3): simpy3.py CUSTOMERS ARRIVALS SERVICES

Times are whole nanoseconds. Prints the seconds of CPU it took and the sum of the
times in the system, in nanoseconds."""
import array
import sys
import time

import simpy


def draws(path):
    a = array.array("q")
    with open(path, "rb") as f:
        a.fromfile(f, 65536)
    return a.tolist()


served = 0
in_system = 0


def customer(env, clerk, service):
    global served, in_system
    came = env.now
    with clerk.request() as turn:
        yield turn
        yield env.timeout(service[served % 65536])
        served += 1
    in_system += env.now - came


def source(env, customers, clerk, between, service):
    for i in range(customers):
        yield env.timeout(between[i % 65536])
        env.process(customer(env, clerk, service))


customers, between, service = int(sys.argv[1]), draws(sys.argv[2]), draws(sys.argv[3])
start = time.process_time()
env = simpy.Environment()
env.process(source(env, customers, simpy.Resource(env, capacity=1), between, service))
env.run()
print(time.process_time() - start, int(in_system))
