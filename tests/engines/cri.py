#!/usr/bin/python3
"""A client of the Kubernetes Container Runtime Interface, for programs that speak JSON.

Usage: cri.py RUNTIME_SOCKET SOCKET
Listens at SOCKET. A connection brings one call, {"method": NAME, "request": {...}}, ends its side,
and gets {"response": {...}} or {"error": TEXT, "code": NAME}. cri.proto says what there is.
The method "Stream" connects to a URL that Exec or Attach gave: the request is {"url", "input"},
and the response {"stdout", "stderr", "status"} when the other side has closed it.
"""

import json
import pathlib
import socketserver
import subprocess
import sys

import grpc
import websocket
from google.protobuf import descriptor_pb2, json_format, message_factory

PACKAGE = "runtime.v1"
PROTOCOL = pathlib.Path(__file__).parent / "cri.proto"
# Channels of v4.channel.k8s.io: the first byte of each message.
STDIN, STDOUT, STDERR, STATUS = range(4)


def read_protocol():
    """The classes of the messages, by their names."""
    compiled = subprocess.run(
        ["protoc", "--proto_path", PROTOCOL.parent, "--descriptor_set_out", "/dev/stdout", PROTOCOL],
        check=True, stdout=subprocess.PIPE).stdout
    return message_factory.GetMessages(descriptor_pb2.FileDescriptorSet.FromString(compiled).file)


def call(channel, messages, method, request):
    """What the runtime answers to a call, as a dictionary with all of its fields."""
    kind = messages[f"{PACKAGE}.{method}Request"]
    answer = channel.unary_unary(
        f"/{PACKAGE}.RuntimeService/{method}",
        request_serializer=kind.SerializeToString,
        response_deserializer=messages[f"{PACKAGE}.{method}Response"].FromString)(
            json_format.ParseDict(request, kind()), timeout=120)
    return json_format.MessageToDict(
        answer, including_default_value_fields=True, preserving_proto_field_name=True)


def stream(url, text):
    """Sends the text to a process, and takes what it says until its end."""
    connection = websocket.create_connection(
        url.replace("http:", "ws:"), timeout=120, subprotocols=["v4.channel.k8s.io"])
    if text:
        connection.send_binary(bytes([STDIN]) + text.encode())
    said = {STDOUT: b"", STDERR: b"", STATUS: b""}
    while True:
        kind, data = connection.recv_data()
        if kind == websocket.ABNF.OPCODE_CLOSE:
            break
        if data and data[0] in said:
            said[data[0]] += data[1:]
    connection.close()
    return {"stdout": said[STDOUT].decode(), "stderr": said[STDERR].decode(),
            "status": json.loads(said[STATUS] or b"{}")}


def main():
    messages = read_protocol()
    channel = grpc.insecure_channel(f"unix:{sys.argv[1]}")

    class Caller(socketserver.StreamRequestHandler):
        def handle(self):
            wanted = json.loads(self.rfile.read())
            try:
                if wanted["method"] == "Stream":
                    response = stream(wanted["request"]["url"], wanted["request"].get("input"))
                else:
                    response = call(channel, messages, wanted["method"], wanted["request"])
                answer = {"response": response}
            except grpc.RpcError as error:
                answer = {"error": error.details(), "code": error.code().name}
            self.wfile.write(json.dumps(answer).encode())

    with socketserver.ThreadingUnixStreamServer(sys.argv[2], Caller) as server:
        server.daemon_threads = True
        server.serve_forever()


if __name__ == "__main__":
    main()
