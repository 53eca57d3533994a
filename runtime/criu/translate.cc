#include "runtime/criu/translate.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include "runtime/criu/rpc.pb.h"

namespace rt::criu {
namespace {

namespace util = google::protobuf::util;

Result<std::string> print(const google::protobuf::Message& message) {
  util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const util::Status printed = util::MessageToJsonString(message, &json, options);
  if (!printed.ok()) return Error(printed.message().ToString());
  return json;
}

/// The library would write what it finds to standard error, which is not ours.
void keep_quiet() { google::protobuf::SetLogHandler(nullptr); }

}  // namespace

Result<Translated> to_criu(const std::string& json) {
  keep_quiet();
  rpc::criu_req request;
  const util::Status parsed = util::JsonStringToMessage(json, &request);
  if (!parsed.ok()) return Error(cat("request: ", quoted(parsed.message().ToString())));
  Translated translated;
  translated.packet = request.SerializeAsString();
  translated.notification = request.type() == rpc::NOTIFY;
  return translated;
}

Result<Translated> to_json(const std::string& message) {
  keep_quiet();
  rpc::criu_resp response;
  if (!response.ParseFromString(message)) {
    return Error(cat("criu's answer of ", message.size(), " bytes is not one of its protocol"));
  }
  Translated translated;
  translated.packet = TRY(print(response), "criu's answer");
  translated.notification = response.type() == rpc::NOTIFY;
  return translated;
}

std::string failure_packet(const Error& error) {
  google::protobuf::Struct failure;
  (*failure.mutable_fields())["helper_error"].set_string_value(error.message());
  const Result<std::string> json = print(failure);
  return json ? json.value() : R"({"helper_error":"unknown"})";
}

}  // namespace rt::criu
