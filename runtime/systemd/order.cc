#include "runtime/systemd/order.h"

#include <algorithm>
#include <utility>

namespace rt::systemd {
namespace {

/// The words of a command line, from the first to the last.
class Words {
 public:
  explicit Words(std::span<const std::string> words) : rest_(words) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }

  Result<std::string> take(std::string_view what) {
    if (rest_.empty()) return Error(cat(what, " is missing"));
    std::string word = rest_.front();
    rest_ = rest_.subspan(1);
    return word;
  }

 private:
  std::span<const std::string> rest_;
};

Result<unsigned> parse_small(const std::string& word) {
  constexpr uint64_t kMost = 1U << 30;
  const std::optional<uint64_t> number = parse_uint(word);
  if (!number || *number > kMost) return Error(cat(quoted(word), ": not a number that fits"));
  return static_cast<unsigned>(*number);
}

Status take_values(std::string_view signature, Words& words, std::vector<std::string>& taken);

/// Takes the words of one value. An array begins with how many elements it has.
Status take_value(std::string_view type, Words& words, std::vector<std::string>& taken) {
  if (type.front() == '(') return take_values(type.substr(1, type.size() - 2), words, taken);
  taken.push_back(TRY(words.take("a value")));
  if (type.front() != 'a') return ok();
  const unsigned count = TRY(parse_small(taken.back()));
  for (unsigned i = 0; i < count; ++i) TRY(take_values(type.substr(1), words, taken));
  return ok();
}

Status take_values(std::string_view signature, Words& words, std::vector<std::string>& taken) {
  while (!signature.empty()) {
    const std::string_view type = first_type(signature);
    signature.remove_prefix(type.size());
    TRY(take_value(type, words, taken));
  }
  return ok();
}

Result<Property> take_property(Words& words) {
  Property property;
  property.name = TRY(words.take("a property's name"));
  if (const size_t at = property.name.find('@'); at != std::string::npos) {
    property.since = TRY(parse_small(property.name.substr(at + 1)));
    property.name.resize(at);
  }
  property.signature = TRY(words.take("its signature"), property.name);
  TRY(take_values(property.signature, words, property.words), property.name);
  return property;
}

Status take_option(const std::string& name, Words& words, Order& order) {
  constexpr std::pair<std::string_view, std::string Order::*> kTexts[] = {
      {"--unit", &Order::unit},
      {"--slice", &Order::slice},
      {"--cgroup", &Order::cgroup},
  };
  for (const auto& [option, member] : kTexts) {
    if (name != option) continue;
    order.*member = TRY(words.take(option));
    return ok();
  }
  if (name == "--timeout" || name == "--pid") {
    const std::string number = TRY(words.take(name));
    (name == "--pid" ? order.pid : order.timeout_s) = TRY(parse_small(number), name);
    return ok();
  }
  if (name != "--user") return Error(cat(quoted(name), ": unknown"));
  order.user = true;
  return ok();
}

Status check_complete(const Order& order) {
  if (order.unit.empty()) return Error("--unit is missing");
  if (order.timeout_s == 0) return Error("--timeout is missing");
  if (order.command != "set" && order.cgroup.empty()) return Error("--cgroup is missing");
  if (order.command == "start" && order.slice.empty()) return Error("--slice is missing");
  if (order.command == "attach" && order.pid == 0) return Error("--pid is missing");
  return ok();
}

}  // namespace

std::string_view first_type(std::string_view signature) {
  const size_t arrays = std::min(signature.find_first_not_of('a'), signature.size());
  size_t depth = 0;
  for (size_t i = arrays; i < signature.size(); ++i) {
    if (signature[i] == '(') ++depth;
    if (signature[i] == ')' && depth > 0) --depth;
    if (depth == 0) return signature.substr(0, i + 1);
  }
  return signature;
}

Result<Order> parse_order(std::span<const std::string> given) {
  Words words(given);
  Order order;
  order.command = TRY(words.take("the command"));
  const std::string& command = order.command;
  const bool known = command == "start" || command == "attach" || command == "set";
  if (!known) return Error(cat(quoted(command), ": unknown"));
  while (!words.empty()) {
    const std::string word = TRY(words.take("an option"));
    if (word == "--") break;
    TRY(take_option(word, words, order));
  }
  TRY(check_complete(order));
  while (!words.empty()) order.properties.push_back(TRY(take_property(words)));
  return order;
}

}  // namespace rt::systemd
