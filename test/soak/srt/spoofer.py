"""Sends UDP datagrams with made-up senders through a raw socket, which Node has not.

usage: spoofer.py HOST PORT KIND PER_SECOND SECONDS NETWORK
KIND: first-packets, made-up-cookies, loss-reports or noise. NETWORK: like 198.18.0.0/18, where the senders are from.
Prints how many datagrams it sent.
"""

import ipaddress
import random
import socket
import struct
import sys
import time

HANDSHAKE, NAK = 0x80000000, 0x80030000
VARIANTS = 512


def words(count):
    return random.randbytes(4 * count)


def handshake(version, extension, kind, cookie):
    fields = struct.pack("!IHHIIIIII", version, 0, extension, random.getrandbits(30), 1500, 8192, kind,
                         random.randrange(1, 2**30), cookie)
    return struct.pack("!IIII", HANDSHAKE, 0, 1000, 0) + fields + bytes(16)


def payload(kind):
    if kind == "first-packets":
        return handshake(4, 2, 1, 0)
    if kind == "made-up-cookies":
        settings = struct.pack("!HHIIHH", 1, 3, 0x10501, 0xBF, 120, 120)
        return handshake(5, 1, 0xFFFFFFFF, random.getrandbits(32)) + settings
    target = random.randrange(1, 2**30)
    if kind == "loss-reports":
        return struct.pack("!IIII", NAK, 0, 1000, target) + words(364)
    return words(3) + struct.pack("!I", random.choice([0, target])) + words(random.randrange(0, 350))


def packet(target, port, network, kind):
    content = payload(kind)
    sender = network[random.randrange(1, network.num_addresses - 1)].packed
    udp = struct.pack("!HHHH", random.randrange(1024, 65536), port, 8 + len(content), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp) + len(content), 0, 0, 64, 17, 0, sender, target)
    return ip + udp + content


def main():
    host, port, kind, per_second, seconds, network = sys.argv[1:]
    target = socket.inet_aton(host)
    per_second, seconds = int(per_second), float(seconds)
    made = [packet(target, int(port), ipaddress.ip_network(network), kind) for _ in range(VARIANTS)]
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    start, sent = time.monotonic(), 0
    while (passed := time.monotonic() - start) < seconds:
        # What a busy machine has left out is not made up for in one go.
        due = min(int(passed * per_second), sent + per_second // 20)
        for index in range(sent, due):
            # Each time from another port.
            one = bytearray(made[index % VARIANTS])
            struct.pack_into("!H", one, 20, random.randrange(1024, 65536))
            raw.sendto(one, (host, 0))
        sent = due
        time.sleep(0.001)
    print(sent)


main()
