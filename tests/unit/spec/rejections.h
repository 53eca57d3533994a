// Tables of documents that must be complained about, once, at the right place.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "runtime/base/text.h"
#include "spec/load.h"

namespace spec::testing {

/// A document with exactly one fault, and what is said of it.
struct Rejection {
  const char* name;  // of the test
  std::string text;
  std::string pointer;
  size_t line;
  std::string message;  // or its beginning
  Severity severity = Severity::kError;
};

/// Documents that are good but for the members `fragment`, which stand on line 3 and below.
inline std::string in_document(std::string_view fragment) {
  return rt::cat("{\"ociVersion\": \"1.3.0\", \"root\": {\"path\": \"rootfs\"}\n,\n", fragment,
                 "\n}");
}

inline std::string in_process(std::string_view fragment) {
  return in_document(
      rt::cat("\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"],\n", fragment, "\n}"));
}

inline std::string in_linux(std::string_view fragment) {
  return in_document(rt::cat("\"linux\": {\n", fragment, "\n}"));
}

inline std::string in_resources(std::string_view fragment) {
  return in_linux(rt::cat("\"resources\": {\n", fragment, "\n}"));
}

class Rejects : public ::testing::TestWithParam<Rejection> {};

inline std::string name_of(const ::testing::TestParamInfo<Rejection>& info) {
  return info.param.name;
}

/// The body of each table's test.
inline void expect_rejected(const Rejection& expected) {
  const Loaded loaded = load_config(expected.text);
  ASSERT_EQ(loaded.diagnostics.size(), 1U) << render_text(loaded.diagnostics, expected.text, "c");
  const Diagnostic& found = loaded.diagnostics[0];
  EXPECT_EQ(found.pointer, expected.pointer);
  EXPECT_EQ(found.line, expected.line);
  EXPECT_TRUE(found.message.starts_with(expected.message)) << found.message;
  EXPECT_EQ(found.severity, expected.severity);
  EXPECT_FALSE(found.section.empty());
  EXPECT_EQ(loaded.config.has_value(), expected.severity == Severity::kWarning);
}

}  // namespace spec::testing
