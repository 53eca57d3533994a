// What holds for each property of the specification, tried on each of them: a value of another
// type, a number out of range, an unknown word, a member that is missing or null.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "runtime/base/text.h"
#include "spec/json.h"
#include "spec/load.h"
#include "spec/sections.h"
#include "tests/support/json.h"
#include "tests/unit/spec/full_document.h"

namespace spec {
namespace {

using rt::cat;
using rt::testing::Json;
using testing::kFullDocument;

enum class Kind { kObject, kArray, kString, kNumber, kBoolean };

struct Value {
  std::string pointer;
  Kind kind;
};

/// The reads report what they do not like, to a document that nobody asks.
Kind kind_of(const Node& node) {
  if (node.is_object()) return Kind::kObject;
  if (node.is_string()) return Kind::kString;
  if (node.boolean()) return Kind::kBoolean;
  return node.expect_array() ? Kind::kArray : Kind::kNumber;
}

void collect(const Node& node, const std::string& pointer, std::vector<Value>& into) {
  const Kind kind = kind_of(node);
  into.push_back({pointer, kind});
  if (kind != Kind::kObject && kind != Kind::kArray) return;
  for (size_t i = 0; i < node.size(); ++i) {
    const std::string key =
        kind == Kind::kObject ? escape_pointer(node.key_at(i)) : std::to_string(i);
    collect(node.at(i), cat(pointer, '/', key), into);
  }
}

bool is_member(const std::string& pointer) {
  const std::string key = pointer.substr(pointer.rfind('/') + 1);
  return !rt::parse_uint(key);
}

/// Every value of the full document but the document itself.
std::vector<Value> all_values() {
  Document document(kFullDocument);
  std::vector<Value> values;
  collect(document.root(), "", values);
  values.erase(values.begin());
  return values;
}

/// The document with another value in a place, and the line that it stands on.
struct Changed {
  std::string text;
  size_t line = 0;
};

Changed with_value(const std::string& pointer, std::string_view value) {
  constexpr std::string_view kMark = "\"@here@\"";
  std::string text;
  bool in_string = false;  // no string of the document has a quote in it
  for (const char c : Json(kFullDocument).set(pointer, kMark).text()) {
    text += c;
    if (c == '"') in_string = !in_string;
    if (!in_string && (c == ',' || c == '{' || c == '[')) text += '\n';
  }
  const size_t place = text.find(kMark);
  const auto lines = std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(place), '\n');
  text.replace(place, kMark.size(), value);
  return {text, static_cast<size_t>(lines) + 1};
}

/// Whether the document is refused for `value`, with its place and the section that defines it.
::testing::AssertionResult refuses(const std::string& pointer, std::string_view value,
                                   std::string_view message) {
  const Changed changed = with_value(pointer, value);
  const Loaded loaded = load_config(changed.text);
  for (const Diagnostic& found : loaded.diagnostics) {
    if (found.pointer != pointer || found.line != changed.line || found.section.empty()) continue;
    if (found.severity != Severity::kError || loaded.config) continue;
    if (found.message.starts_with(message)) return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << pointer << ": " << value << ": found\n"
                                       << render_text(loaded.diagnostics, changed.text, "c");
}

TEST(EveryProperty, OfTheFullDocumentIsAccepted) {
  const Loaded loaded = load_config(kFullDocument);
  EXPECT_TRUE(loaded.diagnostics.empty()) << render_text(loaded.diagnostics, kFullDocument, "c");
}

TEST(EveryProperty, WithAValueOfAnotherTypeIsRefused) {
  const std::pair<Kind, const char*> samples[] = {
      {Kind::kObject, "{}"}, {Kind::kArray, "[]"},     {Kind::kString, "\"5\""},
      {Kind::kNumber, "5"},  {Kind::kBoolean, "true"},
  };
  for (const Value& value : all_values()) {
    for (const auto& [kind, sample] : samples) {
      if (kind == value.kind) continue;
      EXPECT_TRUE(refuses(value.pointer, sample, "expected "));
    }
  }
}

/// A member that is null is absent; an element cannot be.
TEST(EveryProperty, ThatIsAnElementIsNotNull) {
  for (const Value& value : all_values()) {
    if (is_member(value.pointer)) continue;
    EXPECT_TRUE(refuses(value.pointer, "null", "expected "));
  }
}

TEST(EveryProperty, ThatIsANumberIsExact) {
  for (const Value& value : all_values()) {
    if (value.kind != Kind::kNumber) continue;
    for (const char* number : {"18446744073709551616", "-9223372036854775809", "1.5", "5e1"}) {
      EXPECT_TRUE(refuses(value.pointer, number, "expected an integer from "));
    }
  }
}

/// The properties that the specification says are REQUIRED.
const std::set<std::string> kRequired = {
    "/ociVersion",
    "/root",
    "/root/path",
    "/mounts/0/destination",
    "/mounts/1/destination",
    "/mounts/1/uidMappings/0/containerID",
    "/mounts/1/uidMappings/0/hostID",
    "/mounts/1/uidMappings/0/size",
    "/mounts/1/gidMappings/0/containerID",
    "/mounts/1/gidMappings/0/hostID",
    "/mounts/1/gidMappings/0/size",
    "/process/consoleSize/height",
    "/process/consoleSize/width",
    "/process/cwd",
    "/process/args",
    "/process/rlimits/0/type",
    "/process/rlimits/0/soft",
    "/process/rlimits/0/hard",
    "/process/user/uid",
    "/process/user/gid",
    "/process/scheduler/policy",
    "/process/ioPriority/class",
    "/process/ioPriority/priority",
    "/hooks/prestart/0/path",
    "/hooks/createRuntime/0/path",
    "/hooks/createContainer/0/path",
    "/hooks/startContainer/0/path",
    "/hooks/poststart/0/path",
    "/hooks/poststop/0/path",
    "/linux/namespaces/0/type",
    "/linux/namespaces/1/type",
    "/linux/namespaces/2/type",
    "/linux/namespaces/3/type",
    "/linux/namespaces/4/type",
    "/linux/namespaces/5/type",
    "/linux/namespaces/6/type",
    "/linux/namespaces/7/type",
    "/linux/uidMappings/0/containerID",
    "/linux/uidMappings/0/hostID",
    "/linux/uidMappings/0/size",
    "/linux/gidMappings/0/containerID",
    "/linux/gidMappings/0/hostID",
    "/linux/gidMappings/0/size",
    "/linux/devices/0/type",
    "/linux/devices/0/path",
    "/linux/devices/0/major",
    "/linux/devices/0/minor",
    "/linux/resources/devices/0/allow",
    "/linux/resources/blockIO/weightDevice/0/major",
    "/linux/resources/blockIO/weightDevice/0/minor",
    "/linux/resources/blockIO/throttleReadBpsDevice/0/major",
    "/linux/resources/blockIO/throttleReadBpsDevice/0/minor",
    "/linux/resources/blockIO/throttleReadBpsDevice/0/rate",
    "/linux/resources/blockIO/throttleWriteBpsDevice/0/major",
    "/linux/resources/blockIO/throttleWriteBpsDevice/0/minor",
    "/linux/resources/blockIO/throttleWriteBpsDevice/0/rate",
    "/linux/resources/blockIO/throttleReadIOPSDevice/0/major",
    "/linux/resources/blockIO/throttleReadIOPSDevice/0/minor",
    "/linux/resources/blockIO/throttleReadIOPSDevice/0/rate",
    "/linux/resources/blockIO/throttleWriteIOPSDevice/0/major",
    "/linux/resources/blockIO/throttleWriteIOPSDevice/0/minor",
    "/linux/resources/blockIO/throttleWriteIOPSDevice/0/rate",
    "/linux/resources/hugepageLimits/0/pageSize",
    "/linux/resources/hugepageLimits/0/limit",
    "/linux/resources/network/priorities/0/name",
    "/linux/resources/network/priorities/0/priority",
    "/linux/memoryPolicy/mode",
    "/linux/seccomp/defaultAction",
    "/linux/seccomp/syscalls/0/names",
    "/linux/seccomp/syscalls/0/action",
    "/linux/seccomp/syscalls/0/args/0/index",
    "/linux/seccomp/syscalls/0/args/0/value",
    "/linux/seccomp/syscalls/0/args/0/op",
    "/linux/personality/domain",
};

/// Whether what is said of `text` is that the member `pointer` is missing, where it should be.
bool reports_missing(const std::string& text, const std::string& pointer) {
  const size_t slash = pointer.rfind('/');
  const std::string message = cat("missing \"", pointer.substr(slash + 1), '"');
  const Loaded loaded = load_config(text);
  return std::any_of(loaded.diagnostics.begin(), loaded.diagnostics.end(), [&](const auto& found) {
    return found.pointer == pointer.substr(0, slash) && found.message == message &&
           found.severity == Severity::kError && !found.section.empty() && !loaded.config;
  });
}

TEST(EveryProperty, ThatIsRequiredIsMissed) {
  for (const Value& value : all_values()) {
    if (!is_member(value.pointer)) continue;
    const bool required = kRequired.contains(value.pointer);
    const std::string text = Json(kFullDocument).erase(value.pointer).text();
    EXPECT_EQ(reports_missing(text, value.pointer), required) << value.pointer;
  }
}

/// What is said, in the order of the document.
std::vector<std::string> messages_of(const Loaded& loaded) {
  std::vector<std::string> messages;
  messages.reserve(loaded.diagnostics.size());
  for (const Diagnostic& found : loaded.diagnostics) {
    messages.push_back(cat(found.pointer, ": ", found.message));
  }
  std::sort(messages.begin(), messages.end());
  return messages;
}

TEST(EveryProperty, ThatIsNullIsAbsent) {
  for (const Value& value : all_values()) {
    if (!is_member(value.pointer)) continue;
    const Loaded absent = load_config(Json(kFullDocument).erase(value.pointer).text());
    const Loaded null = load_config(Json(kFullDocument).set(value.pointer, "null").text());
    EXPECT_EQ(messages_of(null), messages_of(absent)) << value.pointer;
    EXPECT_EQ(null.config, absent.config) << value.pointer;
  }
}

/// A property whose value is one of the specification's words.
struct Word {
  const char* pointer;
  const char* message;
};

constexpr Word kWords[] = {
    {"/process/rlimits/0/type", "unknown resource limit"},
    {"/process/scheduler/policy", "unknown scheduling policy"},
    {"/process/scheduler/flags/0", "unknown scheduling flag"},
    {"/process/ioPriority/class", "unknown I/O scheduling class"},
    {"/linux/namespaces/0/type", "unknown namespace type"},
    {"/linux/devices/0/type", "unknown device type"},
    {"/linux/resources/devices/0/type", "unknown device type"},
    {"/linux/memoryPolicy/mode", "unknown memory policy"},
    {"/linux/memoryPolicy/flags/0", "unknown memory policy flag"},
    {"/linux/seccomp/defaultAction", "unknown seccomp action"},
    {"/linux/seccomp/architectures/0", "unknown seccomp architecture"},
    {"/linux/seccomp/flags/0", "unknown seccomp flag"},
    {"/linux/seccomp/syscalls/0/action", "unknown seccomp action"},
    {"/linux/seccomp/syscalls/0/args/0/op", "unknown operator"},
    {"/linux/rootfsPropagation", "unknown propagation"},
    {"/linux/personality/domain", "unknown execution domain"},
};

TEST(EveryProperty, ThatIsAWordIsOneOfTheSpecification) {
  for (const Word& word : kWords) {
    const std::string known = Json(kFullDocument).at(word.pointer);
    for (const std::string& other :
         {std::string("nonsense"), std::string("0"), known + " ", known + "x"}) {
      EXPECT_TRUE(refuses(word.pointer, rt::testing::json_string(other), word.message));
    }
  }
}

/// A property that is a number, or a list of numbers, and values just beyond what it may be.
struct Range {
  const char* pointer;
  std::vector<const char*> beyond;
};

const Range kRanges[] = {
    {"/process/consoleSize/height", {"-1", "65536"}},
    {"/process/consoleSize/width", {"-1", "65536"}},
    {"/process/rlimits/0/soft", {"-1"}},
    {"/process/rlimits/0/hard", {"-1"}},
    {"/process/user/uid", {"-1", "4294967295", "4294967296"}},
    {"/process/user/gid", {"-1", "4294967295", "4294967296"}},
    {"/process/user/umask", {"-1", "512"}},
    {"/process/user/additionalGids/0", {"-1", "4294967295", "4294967296"}},
    {"/process/oomScoreAdj", {"-1001", "1001"}},
    {"/process/scheduler/nice", {"-21", "20", "2147483648"}},
    {"/process/scheduler/priority", {"-1", "1", "2147483648"}},
    {"/process/scheduler/runtime", {"-1"}},
    {"/process/scheduler/deadline", {"-1"}},
    {"/process/scheduler/period", {"-1"}},
    {"/process/ioPriority/priority", {"-1", "8"}},
    {"/process/execCPUAffinity/initial", {"\"3-1\"", "\"1,\"", "\"-1\"", "\"1048577\"", "\"a\""}},
    {"/process/execCPUAffinity/final", {"\"3-1\"", "\"1,\"", "\"-1\"", "\"1048577\"", "\"a\""}},
    {"/hooks/prestart/0/timeout", {"0", "-1", "4294967296"}},
    {"/hooks/createRuntime/0/timeout", {"0", "-1", "4294967296"}},
    {"/hooks/createContainer/0/timeout", {"0", "-1", "4294967296"}},
    {"/hooks/startContainer/0/timeout", {"0", "-1", "4294967296"}},
    {"/hooks/poststart/0/timeout", {"0", "-1", "4294967296"}},
    {"/hooks/poststop/0/timeout", {"0", "-1", "4294967296"}},
    {"/linux/uidMappings/0/containerID", {"-1", "4294967296"}},
    {"/linux/uidMappings/0/hostID", {"-1", "4294967296"}},
    {"/linux/uidMappings/0/size", {"-1", "0", "4294967296"}},
    {"/linux/gidMappings/0/size", {"-1", "0", "4294967296"}},
    {"/mounts/1/uidMappings/0/size", {"-1", "0", "4294967296"}},
    {"/mounts/1/gidMappings/0/size", {"-1", "0", "4294967296"}},
    {"/linux/timeOffsets/monotonic/nanosecs", {"-1", "1000000000"}},
    {"/linux/timeOffsets/boottime/nanosecs", {"-1", "1000000000"}},
    {"/linux/devices/0/major", {"-1", "4096"}},
    {"/linux/devices/0/minor", {"-1", "1048576"}},
    {"/linux/devices/0/fileMode", {"-1", "65536"}},
    {"/linux/devices/0/uid", {"-1", "4294967295", "4294967296"}},
    {"/linux/devices/0/gid", {"-1", "4294967295", "4294967296"}},
    {"/linux/resources/devices/0/major", {"-2", "4096"}},
    {"/linux/resources/devices/0/minor", {"-2", "1048576"}},
    {"/linux/resources/memory/limit", {"-2"}},
    {"/linux/resources/memory/reservation", {"-2"}},
    {"/linux/resources/memory/swap", {"-2", "999"}},
    {"/linux/resources/memory/kernel", {"-2"}},
    {"/linux/resources/memory/kernelTCP", {"-2"}},
    {"/linux/resources/memory/swappiness", {"-1", "101"}},
    {"/linux/resources/cpu/shares", {"-1"}},
    {"/linux/resources/cpu/burst", {"-1", "1001"}},
    {"/linux/resources/cpu/quota", {"-2", "999"}},
    {"/linux/resources/cpu/period", {"-1", "999", "1000001"}},
    {"/linux/resources/cpu/realtimeRuntime", {"-2"}},
    {"/linux/resources/cpu/realtimePeriod", {"-1"}},
    {"/linux/resources/cpu/cpus", {"\"3-1\"", "\"1,\"", "\"-1\"", "\"1048577\"", "\"a\""}},
    {"/linux/resources/cpu/mems", {"\"3-1\"", "\"1,\"", "\"-1\"", "\"1048577\"", "\"a\""}},
    {"/linux/resources/cpu/idle", {"-1", "2"}},
    {"/linux/resources/blockIO/weight", {"-1", "9", "1001", "65536"}},
    {"/linux/resources/blockIO/leafWeight", {"-1", "9", "1001", "65536"}},
    {"/linux/resources/blockIO/weightDevice/0/major", {"-1", "4096"}},
    {"/linux/resources/blockIO/weightDevice/0/minor", {"-1", "1048576"}},
    {"/linux/resources/blockIO/weightDevice/0/weight", {"-1", "9", "1001", "65536"}},
    {"/linux/resources/blockIO/weightDevice/0/leafWeight", {"-1", "9", "1001", "65536"}},
    {"/linux/resources/blockIO/throttleReadBpsDevice/0/major", {"-1", "4096"}},
    {"/linux/resources/blockIO/throttleReadBpsDevice/0/minor", {"-1", "1048576"}},
    {"/linux/resources/blockIO/throttleReadBpsDevice/0/rate", {"-1"}},
    {"/linux/resources/blockIO/throttleWriteBpsDevice/0/major", {"-1", "4096"}},
    {"/linux/resources/blockIO/throttleWriteBpsDevice/0/minor", {"-1", "1048576"}},
    {"/linux/resources/blockIO/throttleWriteBpsDevice/0/rate", {"-1"}},
    {"/linux/resources/blockIO/throttleReadIOPSDevice/0/major", {"-1", "4096"}},
    {"/linux/resources/blockIO/throttleReadIOPSDevice/0/minor", {"-1", "1048576"}},
    {"/linux/resources/blockIO/throttleReadIOPSDevice/0/rate", {"-1"}},
    {"/linux/resources/blockIO/throttleWriteIOPSDevice/0/major", {"-1", "4096"}},
    {"/linux/resources/blockIO/throttleWriteIOPSDevice/0/minor", {"-1", "1048576"}},
    {"/linux/resources/blockIO/throttleWriteIOPSDevice/0/rate", {"-1"}},
    {"/linux/resources/hugepageLimits/0/limit", {"-1"}},
    {"/linux/resources/network/classID", {"-1", "4294967296"}},
    {"/linux/resources/network/priorities/0/priority", {"-1", "4294967296"}},
    {"/linux/resources/pids/limit", {"-2"}},
    {"/linux/resources/rdma/mlx5_1/hcaHandles", {"-1", "4294967296"}},
    {"/linux/resources/rdma/mlx5_1/hcaObjects", {"-1", "4294967296"}},
    {"/linux/memoryPolicy/nodes", {"\"3-1\"", "\"1,\"", "\"-1\"", "\"1048577\"", "\"a\""}},
    {"/linux/seccomp/defaultErrnoRet", {"-1", "4096"}},
    {"/linux/seccomp/syscalls/0/errnoRet", {"-1", "65536"}},
    {"/linux/seccomp/syscalls/0/args/0/index", {"-1", "6"}},
    {"/linux/seccomp/syscalls/0/args/0/value", {"-1"}},
    {"/linux/seccomp/syscalls/0/args/0/valueTwo", {"-1"}},
};

TEST(EveryProperty, ThatIsANumberKeepsWithinItsRange) {
  for (const Range& range : kRanges) {
    for (const char* value : range.beyond) EXPECT_TRUE(refuses(range.pointer, value, ""));
  }
}

/// A text that has a form, and others that have not.
const Range kForms[] = {
    {"/linux/resources/devices/0/access", {"\"rwx\"", "\"R\"", "\"r w\""}},
    {"/linux/resources/hugepageLimits/0/pageSize",
     {"\"\"", "\"2\"", "\"MB\"", "\"02MB\"", "\"2mb\"", "\"2TB\"", "\"../2MB\""}},
    {"/linux/resources/network/priorities/0/name",
     {"\"\"", "\".\"", "\"a/b\"", "\"a b\"", "\"a234567890123456\""}},
};

TEST(EveryProperty, ThatIsATextHasItsForm) {
  for (const Range& form : kForms) {
    for (const char* value : form.beyond) EXPECT_TRUE(refuses(form.pointer, value, ""));
  }
}

TEST(EveryProperty, OfResourcesIsInOneOfTheTables) {
  std::set<std::string> known = {"/linux/resources/unified/memory.high"};  // the kernel's business
  for (const Word& word : kWords) known.insert(word.pointer);
  for (const Range& range : kRanges) known.insert(range.pointer);
  for (const Range& form : kForms) known.insert(form.pointer);
  for (const Value& value : all_values()) {
    if (!value.pointer.starts_with("/linux/resources/")) continue;
    if (value.kind != Kind::kNumber && value.kind != Kind::kString) continue;
    EXPECT_TRUE(known.contains(value.pointer)) << value.pointer;
  }
}

TEST(EveryProperty, HasASectionOfTheSpecification) {
  for (const Value& value : all_values()) {
    if (value.pointer == "/linux") continue;  // the whole of config-linux.md
    const bool of_linux = value.pointer.starts_with("/linux/");
    EXPECT_TRUE(
        section_of(value.pointer).starts_with(of_linux ? "config-linux.md, \"" : "config.md, \""))
        << value.pointer;
  }
  EXPECT_EQ(section_of("/linux/resources/memory/limit"), "config-linux.md, \"Memory\"");
  EXPECT_EQ(section_of("/process/userinfo"), "config.md, \"Process\"");
  EXPECT_EQ(section_of("/nonsense"), "");
  EXPECT_EQ(section_of(""), "");
}

/// Objects whose keys are names of the user's, not of the specification.
const std::set<std::string> kMaps = {
    "/annotations",          "/linux/timeOffsets",       "/linux/netDevices",
    "/linux/resources/rdma", "/linux/resources/unified", "/linux/sysctl"};

TEST(EveryProperty, ThatIsAnObjectWarnsOfMembersThatItDoesNotKnow) {
  for (const Value& value : all_values()) {
    if (value.kind != Kind::kObject || kMaps.contains(value.pointer)) continue;
    const std::string unknown = value.pointer + "/xyzzy";
    const Loaded loaded = load_config(Json(kFullDocument).set(unknown, "[1]").text());
    EXPECT_TRUE(loaded.config.has_value()) << unknown;
    ASSERT_EQ(loaded.diagnostics.size(), 1U) << unknown;
    EXPECT_EQ(loaded.diagnostics[0].pointer, unknown);
    EXPECT_EQ(loaded.diagnostics[0].message, "unknown member \"xyzzy\" is ignored");
    EXPECT_FALSE(loaded.diagnostics[0].section.empty()) << unknown;
  }
}

TEST(EveryProperty, OfAnotherPlatformIsIgnoredWithAWarning) {
  for (const char* pointer : {"/solaris", "/windows", "/vm", "/zos", "/freebsd",
                              "/process/commandLine", "/process/user/username"}) {
    const Loaded loaded = load_config(Json(kFullDocument).set(pointer, "[1]").text());
    EXPECT_TRUE(loaded.config.has_value()) << pointer;
    ASSERT_EQ(loaded.diagnostics.size(), 1U) << pointer;
    EXPECT_EQ(loaded.diagnostics[0].pointer, pointer);
    EXPECT_EQ(loaded.diagnostics[0].severity, Severity::kWarning);
  }
}

}  // namespace
}  // namespace spec
