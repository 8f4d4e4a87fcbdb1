# SPDX-License-Identifier: BSD-2-Clause
"""One message through the whole house, in every mode."""
from harness import associate
from rpc import RpcError


def test_passive(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    c.call("send", sock=here, assoc_id=here_id, stream=3, data=b"hello")
    got = c.call("recv", sock=there, timeout=5000)
    assert got["event"] == "data" and got["data"] == b"hello"
    assert got["sctp_sndrcvinfo"]["stream"] == 3
    assert got["sctp_sndrcvinfo"]["assoc_id"] == there_id


def test_active_once(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    c.call("setopts", sock=there, options={"active": "once"})
    c.call("send", sock=here, assoc_id=here_id, stream=0, data=b"1")
    c.call("send", sock=here, assoc_id=here_id, stream=0, data=b"2")
    assert c.event("data")["data"] == b"1"
    assert c.call("getopts", sock=there, options=["active"])["options"] == [["active", False]]
    assert c.quiet()
    assert c.call("recv", sock=there, timeout=5000)["data"] == b"2"


def test_stream_out_of_range(d):
    c = d.client()
    _, _, here, here_id = associate(c, options={"sctp_initmsg": {"num_ostreams": 5}})
    try:
        c.call("send", sock=here, assoc_id=here_id, stream=5, data=b"x")
        raise AssertionError("it was sent")
    except RpcError as e:
        assert str(e) == "einval: stream 5: the association has streams 0 to 4"
