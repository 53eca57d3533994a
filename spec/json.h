// Reading JSON: a document with limits, and typed reads that report everything wrong at once.
//
// A struct is read by a table of its members. The same table says which members are known, so that
// the two cannot diverge:
//
//   struct Record { std::string id; int32_t pid = 0; std::vector<std::string> cgroups; };
//
//   template <>
//   struct spec::Fields<Record> {
//     static constexpr std::string_view kSection = "";  // or `config.md, "Mounts"`
//     static constexpr spec::Field<Record> kTable[] = {
//         spec::field<&Record::id>("id", spec::Need::kRequired),
//         spec::field<&Record::pid>("pid"),
//         spec::field<&Record::cgroups>("cgroups"),
//     };
//   };
//
//   Record record = TRY(spec::parse_as<Record>(text), path);  // the first error, with its line
//
// Or by hand, which leaves out the warning about unknown members:
//
//   Document document(text);
//   if (const auto pid = document.root().find("pid")) read(*pid, record.pid);
//   if (document.has_errors()) show(document.take_diagnostics());
//
// A read that fails leaves a diagnostic in the document and its target as it was; reading goes on.
// A member that is null is absent. Integers are exact: never rounded, never wrapped.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "spec/diagnostic.h"

namespace spec {

class Document;

inline constexpr size_t kMaxDocumentSize = 16U << 20;  // bytes
inline constexpr int kMaxDocumentDepth = 64;           // objects and arrays within each other
/// What is wrong with a hostile document must not fill the memory: after so many complaints, one
/// more says that the rest was left out.
inline constexpr size_t kMaxDiagnostics = 200;

/// One value of a document. Two pointers: cheap to copy; the document must outlive it and stay
/// where it is.
class Node {
 public:
  [[nodiscard]] bool is_null() const;
  [[nodiscard]] bool is_string() const;
  [[nodiscard]] bool is_object() const;

  /// The member `key`; nothing when it is absent or null, or when this is no object.
  [[nodiscard]] std::optional<Node> find(std::string_view key) const;

  /// These say whether the value has the type; when it has not, that is reported.
  [[nodiscard]] bool expect_object() const;
  [[nodiscard]] bool expect_array() const;

  /// Of an object or array: how many members, and the one at `index`, with its key.
  [[nodiscard]] size_t size() const;
  [[nodiscard]] Node at(size_t index) const;
  [[nodiscard]] std::string_view key_at(size_t index) const;

  /// Nothing, after reporting it, when the value is of another type or out of range.
  [[nodiscard]] std::optional<std::string_view> string() const;
  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::optional<int64_t> integer(int64_t min, int64_t max) const;
  [[nodiscard]] std::optional<uint64_t> natural(uint64_t max) const;

  /// Report something at this value, or at its key.
  void error(std::string message, Place place = Place::kValue) const;
  void warning(std::string message, Place place = Place::kValue) const;

  /// The heading of the specification that further reports name; gives back the one before, to be
  /// entered again afterwards.
  std::string_view enter_section(std::string_view section) const;  // NOLINT(*-use-nodiscard)

 private:
  friend class Document;
  Node(const void* value, Document* document) : value_(value), document_(document) {}
  void report_type(std::string_view expected) const;
  void report_number(std::string_view min, std::string_view max) const;

  const void* value_;  // rapidjson::Value, which no other package needs to see
  Document* document_;
};

/// A parsed text, and what was found wrong with it so far. What is no JSON, or breaks a limit
/// (size, depth, a member twice, NUL in a string, invalid UTF-8), is reported on construction;
/// then root() is null. `text` must outlive the document.
class Document {
 public:
  explicit Document(std::string_view text);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  [[nodiscard]] Node root();
  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] bool has_reports() const;  // errors or warnings
  [[nodiscard]] bool is_broken() const;    // not JSON within our limits: nothing could be read

  /// Everything reported so far, in order of position. Leaves the document without any.
  [[nodiscard]] std::vector<Diagnostic> take_diagnostics();

  /// Whether there is a value that `pointer` names; null is none.
  [[nodiscard]] bool contains(std::string_view pointer) const;

  /// Sets line and column from the pointers, and sorts by position.
  void place(std::vector<Diagnostic>& diagnostics) const;

 private:
  friend class Node;
  void report(Severity severity, const void* value, Place place, std::string message);
  void report_at(size_t offset, std::string message);
  std::string_view enter_section(std::string_view section);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Reading by tables.

enum class Need { kOptional, kRequired };

/// One member of the JSON object that a T is read from.
template <class T>
struct Field {
  std::string_view key;
  void (*read)(const Node& node, T& into) = nullptr;  // null: of another platform
  Need need = Need::kOptional;
};

/// Specialised for each struct that is read: kSection and kTable.
template <class T>
struct Fields;

template <class T>
concept Tabled = requires { Fields<T>::kTable; };

/// Warns that `key` of the object `node` is unknown, with the known one that was perhaps meant.
void report_unknown(const Node& member, std::string_view key,
                    const std::vector<std::string_view>& known);
/// Warns that `key` is of no meaning on Linux.
void report_foreign(const Node& member, std::string_view key);
void report_missing(const Node& object, std::string_view key);

inline void read(const Node& node, std::string& into) {
  if (const auto text = node.string()) into = *text;
}

inline void read(const Node& node, bool& into) {
  if (const auto truth = node.boolean()) into = *truth;
}

template <std::signed_integral T>
void read(const Node& node, T& into) {
  using Limits = std::numeric_limits<T>;
  if (const auto number = node.integer(Limits::min(), Limits::max())) {
    into = static_cast<T>(*number);
  }
}

template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>)
void read(const Node& node, T& into) {
  if (const auto number = node.natural(std::numeric_limits<T>::max())) {
    into = static_cast<T>(*number);
  }
}

template <Tabled T>
void read(const Node& node, T& into);
template <class T>
void read(const Node& node, std::optional<T>& into);
template <class T>
void read(const Node& node, std::vector<T>& into);
template <class T>
void read(const Node& node, std::map<std::string, T>& into);

/// Present, even when the value is of the wrong type: then an error was reported anyway.
template <class T>
void read(const Node& node, std::optional<T>& into) {
  into.emplace();
  read(node, *into);
}

template <class T>
void read(const Node& node, std::vector<T>& into) {
  if (!node.expect_array()) return;
  into.resize(node.size());
  for (size_t i = 0; i < into.size(); ++i) read(node.at(i), into[i]);
}

template <class T>
void read(const Node& node, std::map<std::string, T>& into) {
  if (!node.expect_object()) return;
  for (size_t i = 0; i < node.size(); ++i) {
    if (node.at(i).is_null()) continue;
    read(node.at(i), into[std::string(node.key_at(i))]);
  }
}

/// The members of the object `node` by the table of T. Says so for each that is not in it, and for
/// each that it requires and is absent.
template <Tabled T>
void read(const Node& node, T& into) {
  if (!node.expect_object()) return;
  const std::string_view outer = node.enter_section(Fields<T>::kSection);
  constexpr auto& kTable = Fields<T>::kTable;
  static_assert(std::size(kTable) <= 64, "one bit each");
  uint64_t seen = 0;
  for (size_t i = 0; i < node.size(); ++i) {
    const Node member = node.at(i);
    const std::string_view key = node.key_at(i);
    size_t row = 0;
    while (row < std::size(kTable) && kTable[row].key != key) ++row;
    if (row == std::size(kTable)) {
      std::vector<std::string_view> known;
      for (const Field<T>& field : kTable) known.push_back(field.key);
      report_unknown(member, key, known);
    } else if (!member.is_null()) {
      seen |= uint64_t{1} << row;
      if (kTable[row].read != nullptr) {
        kTable[row].read(member, into);
      } else {
        report_foreign(member, key);
      }
    }
  }
  for (size_t row = 0; row < std::size(kTable); ++row) {
    const bool missing = (seen & (uint64_t{1} << row)) == 0;
    if (missing && kTable[row].need == Need::kRequired) report_missing(node, kTable[row].key);
  }
  node.enter_section(outer);
}

namespace detail {

template <class T>
struct MemberOf;
template <class Object, class Member>
struct MemberOf<Member Object::*> {
  using Type = Object;
};

template <auto member, class T>
void read_member(const Node& node, T& into) {
  read(node, into.*member);
}

}  // namespace detail

/// The row of a table that reads `member`.
template <auto member, class T = typename detail::MemberOf<decltype(member)>::Type>
constexpr Field<T> field(std::string_view key, Need need = Need::kOptional) {
  return {key, detail::read_member<member, T>, need};
}

/// The row of a member that the specification defines for other platforms alone.
template <class T>
constexpr Field<T> foreign(std::string_view key) {
  return {key, nullptr, Need::kOptional};
}

/// The first error of `diagnostics` in one line: `3:5: /pid: expected an integer, found a string`.
/// Precondition: there is one.
[[nodiscard]] rt::Error first_error(const std::vector<Diagnostic>& diagnostics);

/// `text` as a T; the first error when there is any. Warnings are dropped: this is for documents
/// that the runtime wrote itself.
template <Tabled T>
rt::Result<T> parse_as(std::string_view text) {
  Document document(text);
  T value;
  read(document.root(), value);
  if (document.has_errors()) return first_error(document.take_diagnostics());
  return value;
}

}  // namespace spec
