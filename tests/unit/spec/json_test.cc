// The limits of documents, typed reads, and the reading of structs by tables.
#include "spec/json.h"

#include <gtest/gtest.h>

#include "runtime/base/text.h"
#include "tests/support/matchers.h"

namespace {

/// As another package would read its own file.
struct Record {
  std::string id;
  int32_t pid = 7;
  uint16_t port = 0;
  uint64_t large = 0;
  int64_t offset = 0;
  bool ready = false;
  std::optional<uint32_t> mode;
  std::vector<std::string> cgroups;
  std::map<std::string, int32_t> counts;
};

}  // namespace

template <>
struct spec::Fields<Record> {
  static constexpr std::string_view kSection = "record";
  static constexpr spec::Field<Record> kTable[] = {
      spec::field<&Record::id>("id", spec::Need::kRequired),
      spec::field<&Record::pid>("pid"),
      spec::field<&Record::port>("port"),
      spec::field<&Record::large>("large"),
      spec::field<&Record::offset>("offset"),
      spec::field<&Record::ready>("ready"),
      spec::field<&Record::mode>("mode"),
      spec::field<&Record::cgroups>("cgroups"),
      spec::field<&Record::counts>("counts"),
      spec::foreign<Record>("elsewhere"),
  };
};

namespace spec {
namespace {

using rt::cat;
using rt::testing::fails_with;
using rt::testing::is_ok;

TEST(Records, AreReadByTheirTable) {
  const auto record = parse_as<Record>(R"({"id": "a", "pid": -1, "port": 65535, "ready": true,
      "large": 18446744073709551615, "offset": -9223372036854775808, "mode": 0, "elsewhere": [],
      "cgroups": ["x", "y"], "counts": {"b": 2, "c": 3}})");
  ASSERT_TRUE(is_ok(record));
  EXPECT_EQ(record.value().id, "a");
  EXPECT_EQ(record.value().pid, -1);
  EXPECT_EQ(record.value().port, 65535);
  EXPECT_EQ(record.value().large, UINT64_MAX);
  EXPECT_EQ(record.value().offset, INT64_MIN);
  EXPECT_TRUE(record.value().ready);
  EXPECT_EQ(record.value().mode, 0U);
  EXPECT_EQ(record.value().cgroups, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(record.value().counts, (std::map<std::string, int32_t>{{"b", 2}, {"c", 3}}));
}

TEST(Records, NullIsAbsent) {
  const auto record = parse_as<Record>(R"({"id": "a", "pid": null, "mode": null, "cgroups": null,
      "counts": {"b": null}})");
  ASSERT_TRUE(is_ok(record));
  EXPECT_EQ(record.value().pid, 7);
  EXPECT_FALSE(record.value().mode.has_value());
  EXPECT_TRUE(record.value().cgroups.empty());
  EXPECT_TRUE(record.value().counts.empty());
}

struct BadRecord {
  const char* name;
  const char* text;
  const char* error;
};

class BadRecords : public ::testing::TestWithParam<BadRecord> {};

TEST_P(BadRecords, AreRefused) {
  EXPECT_TRUE(fails_with(parse_as<Record>(GetParam().text), GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Json, BadRecords,
    ::testing::Values(
        BadRecord{"Array", "[]", "1:1: expected an object, found an array"},
        BadRecord{"Missing", "{}", "1:1: missing \"id\""},
        BadRecord{"NullRequired", "{\"id\": null}", "1:1: missing \"id\""},
        BadRecord{"TextForNumber", "{\"id\": \"a\",\n \"pid\": \"1\"}",
                  "2:9: /pid: expected an integer, found a string"},
        BadRecord{"NumberForText", "{\"id\": 1}", "1:8: /id: expected a string, found a number"},
        BadRecord{"NumberForTruth", "{\"id\": \"a\", \"ready\": 1}",
                  "1:22: /ready: expected true or false, found a number"},
        BadRecord{
            "Int32High", "{\"id\": \"a\", \"pid\": 2147483648}",
            "1:20: /pid: expected an integer from -2147483648 to 2147483647, found 2147483648"},
        BadRecord{"Int32Low", "{\"id\": \"a\", \"pid\": -2147483649}",
                  "1:20: /pid: expected an integer from -2147483648 to 2147483647"},
        BadRecord{"Uint16High", "{\"id\": \"a\", \"port\": 65536}",
                  "1:21: /port: expected an integer from 0 to 65535, found 65536"},
        BadRecord{"Negative", "{\"id\": \"a\", \"mode\": -1}",
                  "1:21: /mode: expected an integer from 0 to 4294967295, found -1"},
        BadRecord{
            "Uint64High", "{\"id\": \"a\", \"large\": 18446744073709551616}",
            "1:22: /large: expected an integer from 0 to 18446744073709551615, found one far"},
        BadRecord{"Int64Low", "{\"id\": \"a\", \"offset\": -9223372036854775809}",
                  "1:23: /offset: expected an integer from -9223372036854775808"},
        BadRecord{"Fraction", "{\"id\": \"a\", \"pid\": 1.0}",
                  "1:20: /pid: expected an integer from -2147483648 to 2147483647, found a number "
                  "with a fraction or an exponent"},
        BadRecord{"Exponent", "{\"id\": \"a\", \"pid\": 1e3}", "1:20: /pid: expected an integer"},
        BadRecord{"InArray", "{\"id\": \"a\", \"cgroups\": [\"x\",\n5]}",
                  "2:1: /cgroups/1: expected a string, found a number"},
        BadRecord{"InMap", "{\"id\": \"a\", \"counts\": {\"a/b~c\": []}}",
                  "1:33: /counts/a~1b~0c: expected an integer, found an array"}),
    [](const auto& info) { return info.param.name; });

TEST(Records, AllErrorsAreReportedAtOnceInTheOrderOfTheText) {
  Document document(R"({"pid": "a", "ready": 0,
"cgroups": [1, "x", 2], "unknown": 1})");
  Record record;
  read(document.root(), record);
  const std::vector<Diagnostic> found = document.take_diagnostics();
  std::vector<std::string> pointers;
  pointers.reserve(found.size());
  for (const Diagnostic& diagnostic : found) pointers.push_back(diagnostic.pointer);
  EXPECT_EQ(pointers, (std::vector<std::string>{"", "/pid", "/ready", "/cgroups/0", "/cgroups/2",
                                                "/unknown"}));
  EXPECT_EQ(found[5].severity, Severity::kWarning);
  EXPECT_EQ(found[5].column, 25U) << "an unknown member is shown at its key";
  EXPECT_EQ(found[5].section, "record");
  EXPECT_EQ(record.cgroups, (std::vector<std::string>{"", "x", ""}));
  EXPECT_FALSE(document.has_errors()) << "they were taken";
}

TEST(Nodes, CanBeReadByHand) {
  Document document(R"({"a": {"b": [1, 2]}, "n": null})");
  const auto a = document.root().find("a");
  ASSERT_TRUE(a.has_value());
  const auto b = a->find("b");
  ASSERT_TRUE(b.has_value());
  EXPECT_EQ(b->size(), 2U);
  EXPECT_EQ(b->at(1).natural(9), 2U);
  EXPECT_FALSE(document.root().find("n").has_value());
  EXPECT_FALSE(b->find("x").has_value());
  EXPECT_FALSE(document.has_errors());
  EXPECT_FALSE(b->string().has_value());
  EXPECT_TRUE(document.has_errors());
  EXPECT_EQ(document.take_diagnostics()[0].pointer, "/a/b");
}

struct BadText {
  const char* name;
  std::string text;
  size_t line;
  size_t column;
  const char* message;
};

class Text : public ::testing::TestWithParam<BadText> {};

TEST_P(Text, IsRefusedOnceAtItsPlace) {
  Document document(GetParam().text);
  EXPECT_TRUE(document.has_errors());
  const std::vector<Diagnostic> found = document.take_diagnostics();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].line, GetParam().line);
  EXPECT_EQ(found[0].column, GetParam().column);
  EXPECT_TRUE(found[0].message.starts_with(GetParam().message)) << found[0].message;
}

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string many_members_with_a_double() {
  std::string out = "{";
  for (int i = 0; i < 100; ++i) out += cat("\"m", i, "\":", i, ",");
  return out + "\n\"m50\":1}";
}

INSTANTIATE_TEST_SUITE_P(
    Json, Text,
    ::testing::Values(
        BadText{"Empty", "", 1, 1, "the document is empty"},
        BadText{"OnlySpace", " \n ", 2, 2, "the document ends too early"},
        BadText{"Truncated", "{\"a\": [1,\n 2", 2, 3, "the document ends too early"},
        BadText{"TruncatedString", "{\"a", 1, 4, "the document ends too early: a string"},
        BadText{"Two", "{}\n{}", 2, 1, "something follows the end of the document"},
        BadText{"TrailingComma", "[1,\n]", 2, 1, "expected a value"},
        BadText{"Comment", "// x\n{}", 1, 1, "expected a value"},
        BadText{"NotANumber", "[NaN]", 1, 2, "expected a value"},
        BadText{"NumberTooBig", "[1e999]", 1, 2, "a number is too large"},
        BadText{"NulEscape", "{\"a\":\n\"x\\u0000y\"}", 2, 1, "NUL (\\u0000) in a string"},
        BadText{"NulEscapeInKey", "{\n \"a\\u0000\": 1}", 2, 2, "NUL (\\u0000) in the name of"},
        BadText{"NulByte", std::string("{}\n\0{", 5), 2, 1, "a NUL byte"},
        BadText{"ControlCharacter", "[\"a\nb\"]", 1, 4, "unknown escape, or a control character"},
        BadText{"InvalidByte", "[\"\xff\"]", 1, 3, "a string is not valid UTF-8"},
        BadText{"OverlongSlash", "[\"\xc0\xaf\"]", 1, 3, "a string is not valid UTF-8"},
        BadText{"Surrogate", "[\"\\ud800x\"]", 1, 3, "half of a surrogate pair"},
        BadText{"LowSurrogate", "[\"\\udc00\"]", 1, 2, "half of a surrogate pair in a string"},
        BadText{"ByteOrderMark", "\xef\xbb\xbf{}", 1, 1, "the document starts with a byte order"},
        BadText{"Twice", "{\"a\": 1,\n  \"a\": 2}", 2, 3, "the member \"a\" is there twice"},
        BadText{"TwiceByEscape", "{\"a\": 1,\n\"\\u0061\": 2}", 2, 1, "the member \"a\" is there"},
        BadText{"TwiceAmongMany", many_members_with_a_double(), 2, 1,
                "the member \"m50\" is there"},
        BadText{"TooDeep", nested(65), 1, 65, "nested deeper than 64 levels"},
        BadText{"FarTooDeep", nested(1U << 20), 1, 65, "nested deeper than 64 levels"},
        BadText{"DeepWithoutEnd", std::string(1U << 20, '['), 1, 65, "nested deeper than 64"},
        BadText{"TooLarge", std::string((16U << 20) + 1, ' '), 1, 1,
                "the document is larger than"}),
    [](const auto& info) { return info.param.name; });

TEST(Document, AcceptsWhatIsJustWithinTheLimits) {
  EXPECT_FALSE(Document(nested(64)).has_errors());
  EXPECT_FALSE(Document("\"\\ud83d\\ude00\"").has_errors());
  const std::string large = cat("\"", std::string((16U << 20) - 2, 'a'), "\"");
  EXPECT_FALSE(Document(large).has_errors());
}

TEST(Document, AHostileOneDoesNotFillTheMemoryWithComplaints) {
  std::string text = "{\"id\": \"a\", \"cgroups\": [0";
  for (int i = 0; i < 100'000; ++i) text += ",0";
  text += "]}";
  Document document(text);
  Record record;
  read(document.root(), record);
  const std::vector<Diagnostic> found = document.take_diagnostics();
  EXPECT_EQ(found.size(), kMaxDiagnostics + 1);
  EXPECT_EQ(found.back().message, "there is more; the rest is left out");
}

}  // namespace
}  // namespace spec
