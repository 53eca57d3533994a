// Command line options as tables: the parser and the help text read the same rows.
//
//   struct KillOptions { bool all = false; };
//   constexpr Option kKillOptions[] = {flag<&KillOptions::all>("all", 'a', "every process ...")};
//   KillOptions options;
//   const auto rest = TRY(parse_options(kKillOptions, arguments, options, Order::kAnywhere));
//
// glibc's getopt_long_only(3) does the reading: "--name value", "--name=value", the same with one
// dash (go-runc sends some that way), and "-n value". A flag may be given as "--name=false".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "runtime/base/result.h"

namespace rt::cli {

/// One option. Made by `option`, `flag` and `ignored`.
struct Option {
  const char* name;   // without dashes
  char short_name;    // 0: none
  const char* value;  // what its value is called: "DIR"; null for a flag
  const char* help;   // null: accepted for the sake of others, and not shown
  /// Puts the value into the struct of options. Says whether it is one that the option can take.
  bool (*store)(void* options, const char* value);
  const void* owner;  // kOwner of that struct's type; null fits every one
};

enum class Order {
  kAnywhere,      // before, between and after the other arguments
  kBeforeOthers,  // the first other argument ends the options
};

namespace detail {

template <class Options>
inline constexpr char kOwner = 0;

template <class T>
struct MemberOf;
template <class Object, class Value>
struct MemberOf<Value Object::*> {
  using Owner = Object;
};

template <auto member>
using OwnerOf = typename MemberOf<decltype(member)>::Owner;

template <auto member>
bool store_text(void* options, const char* value) {
  static_cast<OwnerOf<member>*>(options)->*member = value;
  return true;
}

template <auto member>
bool store_flag(void* options, const char* value) {
  const std::string_view text = value == nullptr ? "true" : value;
  static_cast<OwnerOf<member>*>(options)->*member = text == "true" || text == "1";
  return text == "true" || text == "1" || text == "false" || text == "0";
}

template <auto member>
bool store_more(void* options, const char* value) {
  (static_cast<OwnerOf<member>*>(options)->*member).emplace_back(value);
  return true;
}

inline bool store_nothing(void* /*options*/, const char* /*value*/) { return true; }

/// Precondition: every row belongs to the struct that `options` points to.
Result<std::vector<std::string>> parse(std::span<const Option> table,
                                       std::span<const std::string> arguments, void* options,
                                       Order order);

}  // namespace detail

/// An option with a value, kept in the std::string `member`.
template <auto member>
constexpr Option option(const char* name, char short_name, const char* value, const char* help) {
  return {name,
          short_name,
          value,
          help,
          detail::store_text<member>,
          &detail::kOwner<detail::OwnerOf<member>>};
}

/// An option that may be given several times, kept in the std::vector<std::string> `member`.
template <auto member>
constexpr Option list_option(const char* name, char short_name, const char* value,
                             const char* help) {
  return {name,
          short_name,
          value,
          help,
          detail::store_more<member>,
          &detail::kOwner<detail::OwnerOf<member>>};
}

/// An option without a value, kept in the bool `member`.
template <auto member>
constexpr Option flag(const char* name, char short_name, const char* help) {
  return {name,
          short_name,
          nullptr,
          help,
          detail::store_flag<member>,
          &detail::kOwner<detail::OwnerOf<member>>};
}

/// An option that means nothing here, and that callers of other runtimes send; `value` as in
/// Option.
constexpr Option ignored(const char* name, const char* value) {
  return {name, 0, value, nullptr, detail::store_nothing, nullptr};
}

/// Reads `arguments` into `options` and gives back what is not an option. "--" ends the options.
/// The last of several wins. Errors: "unknown option", "flag needs an argument".
template <class Options>
Result<std::vector<std::string>> parse_options(std::span<const Option> table,
                                               std::span<const std::string> arguments,
                                               Options& options, Order order) {
  for (const Option& row : table) {
    if (row.owner != nullptr && row.owner != &detail::kOwner<Options>) {
      return Error(cat("option --", row.name, " belongs to another command"));
    }
  }
  return detail::parse(table, arguments, &options, order);
}

/// The rows for the help text, a line each, descriptions aligned.
std::string describe_options(std::span<const Option> table);

/// " (did you mean ...?)", or nothing when no word of `known` is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known,
                         std::string_view prefix);

}  // namespace rt::cli
