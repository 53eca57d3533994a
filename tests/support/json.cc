#include "tests/support/json.h"

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdio>
#include <cstdlib>

namespace rt::testing {
namespace {

template <class Value>
std::string written(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

struct Json::Impl {
  rapidjson::Document document;
  bool valid = false;

  [[nodiscard]] const rapidjson::Value* find(std::string_view pointer) const {
    return rapidjson::Pointer(pointer.data(), pointer.size()).Get(document);
  }
  rapidjson::Value parse(std::string_view text) {
    rapidjson::Document part(&document.GetAllocator());
    part.Parse(text.data(), text.size());
    if (part.HasParseError()) {
      std::fprintf(stderr, "a test's own JSON is wrong: %.*s\n", static_cast<int>(text.size()),
                   text.data());
      std::abort();
    }
    return std::move(static_cast<rapidjson::Value&>(part));
  }
};

Json::Json(std::string_view text) : impl_(std::make_unique<Impl>()) {
  impl_->document.Parse(text.data(), text.size());
  impl_->valid = !impl_->document.HasParseError();
}
Json::Json(const Json& other) : Json(std::string_view(other.text())) {}
Json& Json::operator=(const Json& other) {
  Json copy(other);
  std::swap(impl_, copy.impl_);
  return *this;
}
Json::~Json() = default;

bool Json::valid() const { return impl_->valid; }

bool Json::has(std::string_view pointer) const { return impl_->find(pointer) != nullptr; }

std::string Json::at(std::string_view pointer) const {
  const rapidjson::Value* value = impl_->find(pointer);
  if (value == nullptr) return "(absent)";
  if (value->IsString()) return {value->GetString(), value->GetStringLength()};
  return written(*value);
}

size_t Json::size(std::string_view pointer) const {
  const rapidjson::Value* value = impl_->find(pointer);
  if (value == nullptr) return 0;
  if (value->IsArray()) return value->Size();
  return value->IsObject() ? value->MemberCount() : 0;
}

std::vector<std::string> Json::names(std::string_view pointer) const {
  std::vector<std::string> all;
  const rapidjson::Value* value = impl_->find(pointer);
  if (value == nullptr || !value->IsObject()) return all;
  for (const auto& member : value->GetObject()) {
    all.emplace_back(member.name.GetString(), member.name.GetStringLength());
  }
  return all;
}

std::string Json::text() const { return written(impl_->document); }

Json& Json::set(std::string_view pointer, std::string_view value) {
  rapidjson::Value parsed = impl_->parse(value);
  rapidjson::Pointer(pointer.data(), pointer.size()).Set(impl_->document, parsed);
  return *this;
}

Json& Json::add(std::string_view pointer, std::string_view value) {
  if (!has(pointer)) set(pointer, "[]");
  return set(std::string(pointer) + "/-", value);
}

Json& Json::erase(std::string_view pointer) {
  rapidjson::Pointer(pointer.data(), pointer.size()).Erase(impl_->document);
  return *this;
}

std::string json_string(std::string_view text) {
  const rapidjson::Value value(rapidjson::StringRef(text.data(), text.size()));
  return written(value);
}

std::string json_strings(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    out += json_string(text);
  }
  return out + ']';
}

}  // namespace rt::testing
