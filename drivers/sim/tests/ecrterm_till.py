"""A till on ecrterm: does what its arguments say at a terminal on a serial port, and prints what it
understood of each answer.

ecrterm_till.py FOLDER_OF_ECRTERM PORT STEP...
"""

import sys

import serial

folder, port, *steps = sys.argv[1:]
sys.path.insert(0, folder)
from ecrterm import ecr, transmission
from ecrterm.packets.base_packets import Diagnosis, EndOfDay


class Pty(serial.Serial):
    """A pty has no control lines."""

    def setRTS(self, _):
        pass

    def setDTR(self, _):
        pass


transmission.SerialTransport.SerialCls = Pty
till = ecr.ECR(device=port, password="000000")
do = {
    "register": lambda: till.register(0xBE),
    "status": till.status,
    "pay": lambda: till.payment(2000),
    "diagnose": lambda: till.transmit(Diagnosis()),
    "end_of_day": lambda: till.transmit(EndOfDay(till.password)),
}
for step in steps:
    result = do[step]()
    for is_answer, packet in till.transmitter.last_history:
        if is_answer:
            print(step, packet)
    print(step, "->", result)
