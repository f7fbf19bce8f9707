"""Asks a Plantbed Modbus server for everything that pymodbus can ask for.

Usage: client.py PORT. Tried with pymodbus 3.0; later versions, which renamed
arguments, are told apart by their signatures.
"""

import inspect
import struct
import sys

from pymodbus.client import ModbusTcpClient

try:
    from pymodbus.mei_message import ReadDeviceInformationRequest
except ImportError:
    pass  # later versions have a method for it

client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]), timeout=5)
assert client.connect(), "no connection"
unit = next(n for n in ("device_id", "slave") if n in inspect.signature(client.read_coils).parameters)


def takes(name, argument):
    return argument in inspect.signature(getattr(client, name)).parameters


def ask(name, *args, at=1, **kw):
    kw[unit if takes(name, unit) else "unit"] = at  # 3.0 is not of one mind
    return getattr(client, name)(*args, **kw)


def registers(address, count, name="read_holding_registers"):
    answer = ask(name, address, count=count)
    assert not answer.isError(), (address, count, answer)
    return answer.registers


def number(form, address):
    words = registers(address, struct.calcsize(form) // 2)
    return struct.unpack(form, struct.pack(f">{len(words)}H", *words))[0]


def expect(what, got, want):
    assert got == want, f"{what}: {got}, want {want}"


def refused(what, code, answer):
    assert answer.isError(), f"{what} was answered"
    expect(what, answer.exception_code, code)


def seen(feature):
    print("seen:", feature)


# Types: what the machine holds, base -1000.
expect("counter", number(">I", 0), 1)
expect("bool", number(">H", 2), 1)
expect("int16", number(">h", 3), -999)
expect("uint16", number(">H", 4), 0)
expect("int32", number(">i", 5), -997)
expect("float", number(">f", 9), -995.0)
expect("double", number(">d", 11), -994.0)
expect("int64", number(">q", 20), -992)
expect("input register", registers(3, 1, "read_input_registers"), [0x10000 - 999])

seen("types of one, two and four registers")

# Function codes 5, 15, 1, 2.
MARKERS = 0xF000
assert not ask("write_coil", MARKERS + 20, True).isError()
assert not ask("write_coils", MARKERS + 21, [True, False, True]).isError()
expect("coils", ask("read_coils", MARKERS + 20, count=4).bits[:4], [True, True, False, True])
expect("inputs", ask("read_discrete_inputs", MARKERS + 20, count=4).bits[:4], [True, True, False, True])
expect("2000 coils", len(ask("read_coils", MARKERS, count=2000).bits), 2000)
assert not ask("write_coils", MARKERS, [True] * 1968).isError()
expect("last coil", ask("read_coils", 0xFFFF, count=1).bits[0], False)

seen("function codes 1, 2, 5, 15; 2,000 coils")

# Bool tags are bits: one to read, one to write.
expect("bool tags", ask("read_coils", 0, count=2).bits[:2], [True, False])
expect("bool tags", ask("read_discrete_inputs", 0, count=2).bits[:2], [True, False])
assert not ask("write_coil", 1, True).isError()

seen("bool tags as bits")

# Function codes 6, 16, 22, 23, 3, 4.
assert not ask("write_register", MARKERS, 0x12).isError()
assert not ask("mask_write_register", address=MARKERS, and_mask=0xF2, or_mask=0x25).isError()
expect("mask", registers(MARKERS, 1), [0x17])
assert not ask("write_registers", MARKERS + 1, list(range(123))).isError()
expect("125 registers", registers(MARKERS, 125, "read_input_registers"), [0x17] + list(range(123)) + [0])
values = "values" if takes("readwrite_registers", "values") else "write_registers"
answer = ask("readwrite_registers", read_address=MARKERS, read_count=3, write_address=MARKERS + 1, **{values: [7, 8]})
expect("read and write", answer.registers, [0x17, 7, 8])

seen("function codes 3, 4, 6, 16, 22, 23; 125 registers")

# Function code 43/14: basic, regular, extended, one by one.
def identify(code, first=0):
    if hasattr(client, "read_device_information"):
        return ask("read_device_information", read_code=code, object_id=first)
    return client.execute(ReadDeviceInformationRequest(code, first, unit=1))


BASIC = {0: b"Plantbed", 1: b"PB-PLC", 2: b"1.0"}
REGULAR = {**BASIC, 3: b"https://github.com/plantbed/plantbed", 4: b"Plantbed PLC", 5: b"PB-PLC", 6: b"plc-1"}
EXTENDED = {**REGULAR, 0x80: b"14 tags"}
for code, want in ((1, BASIC), (2, REGULAR), (3, EXTENDED)):
    expect(f"identification {code}", identify(code).information, want)
expect("identification, conformity", identify(1).conformity, 0x83)
for number_of, text in EXTENDED.items():
    expect(f"object {number_of}", identify(4, number_of).information, {number_of: text})

seen("function code 43/14, device identification")

# Writes to the machine; the test looks at what reached it.
assert not ask("write_registers", 15, list(struct.unpack(">2H", struct.pack(">f", -7.5)))).isError()
assert not ask("write_registers", 18, list(struct.unpack(">2H", struct.pack(">i", 70000)))).isError()

seen("writes that reach the machine at the next scan")

# Refusals.
refused("missing register", 2, ask("read_holding_registers", 4096, count=1))
refused("missing coil", 2, ask("read_coils", 0xFFFF, count=2))
refused("read-only coil", 2, ask("write_coil", 0, False))
refused("missing object", 2, identify(4, 7))
refused("read-only tag", 2, ask("write_register", 3, 1))
refused("out of range", 3, ask("write_register", 17, 3000))
refused("another unit", 11, ask("read_holding_registers", 0, count=1, at=9))
expect("still there", number(">I", 0), 1)
seen("exceptions 2, 3 and 11")
client.close()
print("all as expected")
