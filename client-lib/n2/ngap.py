# SPDX-License-Identifier: BSD-2-Clause
"""The four NGAP messages (3GPP TS 38.413, aligned PER) that amf.py and gnb.py exchange."""
PPID, PORT = 60, 38412  # TS 38.412
DOWNLINK_NAS_TRANSPORT, INITIAL_UE_MESSAGE, NG_SETUP = 4, 15, 21  # procedure codes
INITIATING, SUCCESSFUL = 0x00, 0x20  # kinds of NGAP-PDU
REJECT, IGNORE = 0x00, 0x40  # criticalities
AMF_UE_NGAP_ID, RAN_UE_NGAP_ID, NAS_PDU = 10, 85, 38  # protocol IEs


def open_type(value):  # a length, in one byte or two, and the value
    n = len(value)
    return (bytes([n]) if n < 128 else (0x8000 | n).to_bytes(2, "big")) + value


def pdu(kind, procedure, criticality, *ies):
    body = b"\0" + len(ies).to_bytes(2, "big")
    for number, ie_criticality, value in ies:
        body += number.to_bytes(2, "big") + bytes([ie_criticality]) + open_type(value)
    return bytes([kind, procedure, criticality]) + open_type(body)


def ies(message):  # {number: value} of the IEs of a message
    def value(at):
        n, at = message[at], at + 1
        if n >= 128:
            n, at = (n & 0x7f) << 8 | message[at], at + 1
        return at, at + n

    at, found = value(3)[0] + 3, {}
    while at < len(message):
        begin, end = value(at + 3)
        found[int.from_bytes(message[at:at + 2], "big")] = message[begin:end]
        at = end
    return found


def ue_id(n, bits):  # an INTEGER: how many bytes it has, in its first bits, then the bytes
    size = max(1, (n.bit_length() + 7) // 8)
    return bytes([size - 1 << 8 - bits]) + n.to_bytes(size, "big")


def number(value):
    return int.from_bytes(value[1:], "big")


def ng_setup_request(gnb):  # PLMN 208 93, TAC 1, one slice
    return pdu(INITIATING, NG_SETUP, REJECT,
               (27, REJECT, bytes.fromhex("0002f83910") + gnb.to_bytes(3, "big")),  # GlobalRANNodeID
               (82, IGNORE, b"\x02\x00gnb-%d" % gnb),  # RANNodeName
               (102, REJECT, bytes.fromhex("00000000010002f83900001008010203")),  # SupportedTAList
               (21, IGNORE, b"\x40"))  # DefaultPagingDRX: v128


def ng_setup_response():
    return pdu(SUCCESSFUL, NG_SETUP, REJECT,
               (1, REJECT, b"\x01\x00amf"),  # AMFName
               (96, REJECT, bytes.fromhex("000002f839020040")),  # ServedGUAMIList: region 2, set 1, pointer 0
               (86, IGNORE, b"\xff"),  # RelativeAMFCapacity
               (80, REJECT, bytes.fromhex("0002f83900001008010203")))  # PLMNSupportList


def initial_ue_message(ue):
    return pdu(INITIATING, INITIAL_UE_MESSAGE, IGNORE,
               (RAN_UE_NGAP_ID, REJECT, ue_id(ue, 2)),
               (NAS_PDU, REJECT, open_type(bytes.fromhex("7e004179000d0102f839f0ff0000000000001"
                                                         "02e02e0e0"))),  # Registration request
               (121, REJECT, bytes.fromhex("4002f839000001001002f839000001")),  # UserLocationInformation
               (90, IGNORE, b"\x18"),  # RRCEstablishmentCause: mo-Signalling
               (112, IGNORE, b"\x00"))  # UEContextRequest: requested


def downlink_nas_transport(amf_ue, ue):
    return pdu(INITIATING, DOWNLINK_NAS_TRANSPORT, IGNORE,
               (AMF_UE_NGAP_ID, REJECT, ue_id(amf_ue, 3)),
               (RAN_UE_NGAP_ID, REJECT, ue_id(ue, 2)),
               (NAS_PDU, REJECT, open_type(bytes.fromhex("7e005b01"))))  # Identity request: SUCI
