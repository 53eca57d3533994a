#include "runtime/systemd/message.h"

#include <cstdint>

namespace rt::systemd {
namespace {

Status append_number(sd_bus_message* message, char type, const std::string& word) {
  const std::optional<int64_t> whole = parse_int(word);
  const std::optional<uint64_t> natural = parse_uint(word);
  if (!(type == 'i' ? whole.has_value() : natural.has_value())) {
    return Error(cat(quoted(word), ": not a number"));
  }
  const uint64_t value = natural.value_or(0);
  switch (type) {
    case 'y':
      return check(sd_bus_message_append(message, "y", static_cast<uint8_t>(value)), "append");
    case 'i':
      return check(sd_bus_message_append(message, "i", static_cast<int32_t>(*whole)), "append");
    case 'u':
      return check(sd_bus_message_append(message, "u", static_cast<uint32_t>(value)), "append");
    case 't':
      return check(sd_bus_message_append(message, "t", value), "append");
    default:
      return Error(cat("values of type ", quoted(std::string_view(&type, 1)), " are not known"));
  }
}

Status append_basic(sd_bus_message* message, char type, const std::string& word) {
  if (type == 's') return check(sd_bus_message_append(message, "s", word.c_str()), "append");
  if (type != 'b') return append_number(message, type, word);
  const int value = word == "true" ? 1 : 0;
  return check(sd_bus_message_append(message, "b", value), "append");
}

Result<std::string> take(std::span<const std::string>& words) {
  if (words.empty()) return Error("a value is missing");
  std::string word = words.front();
  words = words.subspan(1);
  return word;
}

Status append_container(sd_bus_message* message, const std::string& type,
                        std::span<const std::string>& words) {
  const bool array = type.front() == 'a';
  const std::string inner = array ? type.substr(1) : type.substr(1, type.size() - 2);
  uint64_t count = 1;
  if (array) {
    const std::string word = TRY(take(words));
    count = parse_uint(word).value_or(0);
  }
  TRY(check(sd_bus_message_open_container(message, array ? 'a' : 'r', inner.c_str()), "append"));
  for (uint64_t i = 0; i < count; ++i) TRY(append_values(message, inner, words));
  return check(sd_bus_message_close_container(message), "append");
}

}  // namespace

Status check(int returned, std::string_view call) {
  if (returned < 0) return Error::from_errno(call, -returned);
  return ok();
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the signature, which is ours
Status append_values(sd_bus_message* message, const std::string& signature,
                     std::span<const std::string>& words) {
  std::string_view rest = signature;
  while (!rest.empty()) {
    const std::string type(first_type(rest));
    rest.remove_prefix(type.size());
    if (type.size() > 1) {
      TRY(append_container(message, type, words));
      continue;
    }
    const std::string word = TRY(take(words));
    TRY(append_basic(message, type.front(), word));
  }
  return ok();
}

Status open_properties(sd_bus_message* message) {
  return check(sd_bus_message_open_container(message, 'a', "(sv)"), "append");
}

Status append_property(sd_bus_message* message, const Property& property) {
  std::span<const std::string> words = property.words;
  TRY(check(sd_bus_message_open_container(message, 'r', "sv"), "append"));
  TRY(check(sd_bus_message_append(message, "s", property.name.c_str()), "append"));
  TRY(check(sd_bus_message_open_container(message, 'v', property.signature.c_str()), "append"));
  TRY(append_values(message, property.signature, words));
  TRY(check(sd_bus_message_close_container(message), "append"));
  return check(sd_bus_message_close_container(message), "append");
}

Status close_properties(sd_bus_message* message) {
  return check(sd_bus_message_close_container(message), "append");
}

}  // namespace rt::systemd
