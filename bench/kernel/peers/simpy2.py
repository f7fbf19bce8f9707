"""M/M/1 for SimPy 2 (Debian's python3-simpy): simpy2.py CUSTOMERS ARRIVALS SERVICES

Times are whole nanoseconds. Prints the seconds of CPU it took and the sum of the
times in the system, in nanoseconds."""
import array
import sys
import time

from SimPy.Simulation import Process, Resource, activate, hold, initialize, now, release, request, simulate


def draws(path):
    a = array.array("q")
    with open(path, "rb") as f:
        a.fromfile(f, 65536)
    return a.tolist()


class Customer(Process):
    served = 0
    in_system = 0

    def visit(self, clerk, service):
        came = now()
        yield request, self, clerk
        yield hold, self, service[Customer.served % 65536]
        Customer.served += 1
        yield release, self, clerk
        Customer.in_system += now() - came


class Source(Process):
    def run(self, customers, clerk, between, service):
        for i in range(customers):
            yield hold, self, between[i % 65536]
            c = Customer()
            activate(c, c.visit(clerk, service))


customers, between, service = int(sys.argv[1]), draws(sys.argv[2]), draws(sys.argv[3])
start = time.process_time()
initialize()
source = Source()
activate(source, source.run(customers, Resource(capacity=1), between, service))
simulate(until=2**62)
print(time.process_time() - start, int(Customer.in_system))
