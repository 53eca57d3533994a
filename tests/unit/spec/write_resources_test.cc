#include "spec/write_resources.h"

#include <gtest/gtest.h>

#include "runtime/base/text.h"
#include "spec/load.h"
#include "tests/support/json.h"
#include "tests/unit/spec/full_document.h"

namespace spec {
namespace {

using rt::cat;
using rt::testing::Json;
using testing::kFullDocument;

/// The "linux.resources" of the full document: every property, none of them absent.
Json full_resources() { return Json(Json(kFullDocument).at("/linux/resources")); }

Resources read(const std::string& text) {
  LoadedResources loaded = load_resources(text);
  EXPECT_TRUE(loaded.resources.has_value()) << text;
  return loaded.resources.value_or(Resources());
}

/// Pointers to everything in the document, also in what is within.
void collect(const Json& json, const std::string& at, std::vector<std::string>& into) {
  std::vector<std::string> within;
  for (const std::string& name : json.names(at)) within.push_back(cat(at, '/', name));
  const bool is_object = !within.empty();
  for (size_t i = 0; !is_object && i < json.size(at); ++i) within.push_back(cat(at, '/', i));
  for (const std::string& pointer : within) {
    into.push_back(pointer);
    collect(json, pointer, into);
  }
}

TEST(WriteResources, EveryPropertyIsWrittenAndReadBack) {
  const Json full = full_resources();
  const Resources resources = read(full.text());
  const std::string text = to_json(resources);
  EXPECT_EQ(read(text), resources) << text;
  std::vector<std::string> all;
  collect(full, "", all);
  ASSERT_GT(all.size(), 50U);
  const Json written(text);
  for (const std::string& pointer : all) {
    EXPECT_EQ(written.at(pointer), full.at(pointer)) << pointer;
  }
}

TEST(WriteResources, WhatIsAbsentStaysAbsent) {
  const Json full = full_resources();
  std::vector<std::string> all;
  collect(full, "", all);
  for (const std::string& pointer : all) {
    Json less = full;
    less.erase(pointer);
    // A member that is required cannot be left out.
    LoadedResources loaded = load_resources(less.text());
    if (!loaded.resources) continue;
    const std::string text = to_json(*loaded.resources);
    EXPECT_EQ(read(text), *loaded.resources) << pointer << '\n' << text;
  }
  EXPECT_EQ(to_json(Resources()), "{}");
}

TEST(WriteResources, ExtremeNumbersAreExact) {
  Resources resources;
  resources.memory = Memory();
  resources.memory->limit = INT64_MAX;
  resources.memory->swap = -1;
  resources.cpu = Cpu();
  resources.cpu->shares = UINT64_MAX;
  resources.pids_limit = 0;
  EXPECT_EQ(read(to_json(resources)), resources);
}

}  // namespace
}  // namespace spec
