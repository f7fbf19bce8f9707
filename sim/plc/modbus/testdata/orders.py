"""Reads and writes every type of a Plantbed Modbus server in one order of bytes.

Usage: orders.py PORT ORDER ODD, where ODD is the order of the tag rw/speed.
pymodbus's own payload decoder and builder turn the words; later versions, which
have none, are helped out with struct.
"""

import inspect
import struct
import sys

from pymodbus.client import ModbusTcpClient

try:
    from pymodbus.constants import Endian
    from pymodbus.payload import BinaryPayloadBuilder, BinaryPayloadDecoder

    BIG, LITTLE = getattr(Endian, "Big", None) or Endian.BIG, getattr(Endian, "Little", None) or Endian.LITTLE
except ImportError:
    BinaryPayloadDecoder = None

client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]), timeout=5)
assert client.connect(), "no connection"
order, odd = sys.argv[2:]
unit = next(n for n in ("device_id", "slave", "unit") if n in inspect.signature(client.read_coils).parameters or n == "unit")
FORMS = {"bool": "H", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q", "float": "f", "double": "d"}
METHODS = {
    "int16": "16bit_int", "uint16": "16bit_uint", "bool": "16bit_uint", "int32": "32bit_int", "uint32": "32bit_uint",
    "int64": "64bit_int", "uint64": "64bit_uint", "float": "32bit_float", "double": "64bit_float",
}


def ends(how):
    """The byte and the word order of pymodbus that stand for an order's name."""
    return (BIG if how in ("abcd", "cdab") else LITTLE), (BIG if how in ("abcd", "badc") else LITTLE)


def turn(words, how):
    if how in ("cdab", "dcba"):
        words = words[::-1]
    if how in ("badc", "dcba"):
        words = [w >> 8 | (w & 255) << 8 for w in words]
    return words


def read(kind, address, how):
    count = struct.calcsize(FORMS[kind]) // 2
    answer = client.read_holding_registers(address, count=count, **{unit: 1})
    assert not answer.isError(), answer
    if BinaryPayloadDecoder is None:
        return struct.unpack(">" + FORMS[kind], struct.pack(f">{count}H", *turn(answer.registers, how)))[0]
    byte, word = ends(how)
    decoder = BinaryPayloadDecoder.fromRegisters(answer.registers, byteorder=byte, wordorder=word)
    return getattr(decoder, "decode_" + METHODS[kind])()


def write(kind, address, value, how):
    if BinaryPayloadDecoder is None:
        raw = struct.pack(">" + FORMS[kind], value)
        words = turn(list(struct.unpack(f">{len(raw) // 2}H", raw)), how)
    else:
        byte, word = ends(how)
        builder = BinaryPayloadBuilder(byteorder=byte, wordorder=word)
        getattr(builder, "add_" + METHODS[kind])(value)
        words = builder.to_registers()
    answer = client.write_registers(address, words, **{unit: 1})
    assert not answer.isError(), (kind, answer)


for kind, address, want in (
    ("bool", 2, 1), ("int16", 3, 32767), ("uint16", 4, 65535), ("int32", 5, 70003), ("uint32", 7, 70004), ("float", 9, 70005),
    ("double", 11, 70006), ("int16", 17, -123), ("int32", 18, 70000), ("int64", 20, 70008), ("uint64", 24, 2**40 + 1), ("bool", 28, 1),
):
    got = read(kind, address, order)
    assert got == want, f"{kind} at {address} in {order}: {got}, want {want}"
got = read("float", 15, odd)
assert got == 1234.5, f"float at 15 in {odd}: {got}"
counter = read("uint32", 0, "abcd")
assert counter == 1, f"the scan counter is {counter}, high word first whatever the order"

write("float", 15, -7.5, odd)
write("int16", 17, 456, order)
write("int32", 18, -70001, order)
write("uint64", 24, 2**50 + 3, order)
client.close()
print("all as expected")
