#include "spec/load.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "spec/json.h"
#include "spec/parse.h"
#include "spec/validate.h"

namespace spec {
namespace {

/// Whether `other` stands at `pointer` or around it.
bool covers(const Diagnostic& other, std::string_view pointer) {
  const std::string& outer = other.pointer;
  return pointer.starts_with(outer) &&
         (pointer.size() == outer.size() || pointer[outer.size()] == '/');
}

/// The complaints of the parser and of the validator as one list. What could not be read has its
/// default value by now, and the validator may complain about that too: its word is dropped where
/// the parser has reported an error at the same place, or at what should have contained it.
std::vector<Diagnostic> merge(Document& document, std::vector<Diagnostic> found) {
  std::vector<Diagnostic> all = document.take_diagnostics();
  document.place(found);
  const auto known = [&](const Diagnostic& diagnostic) {
    const bool there = document.contains(diagnostic.pointer);
    return std::any_of(all.begin(), all.end(), [&](const Diagnostic& other) {
      if (other.severity != Severity::kError) return false;
      return other.pointer == diagnostic.pointer || (!there && covers(other, diagnostic.pointer));
    });
  };
  found.erase(std::remove_if(found.begin(), found.end(), known), found.end());
  all.insert(all.end(), std::make_move_iterator(found.begin()),
             std::make_move_iterator(found.end()));
  std::stable_sort(all.begin(), all.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return all;
}

/// Nothing further is said about a text that is no JSON at all.
template <class T>
std::vector<Diagnostic> judge(Document& document, const T& value,
                              std::vector<Diagnostic> (*validate_value)(const T&)) {
  if (document.is_broken()) return document.take_diagnostics();
  const bool clean = !document.has_reports();
  std::vector<Diagnostic> found = validate_value(value);
  if (clean && found.empty()) return {};
  return merge(document, std::move(found));
}

}  // namespace

Loaded load_config(std::string_view text) {
  Document document(text);
  Config config = parse_config(document);
  Loaded loaded;
  loaded.diagnostics = judge(document, config, validate);
  if (!has_errors(loaded.diagnostics)) loaded.config = std::move(config);
  return loaded;
}

LoadedProcess load_process(std::string_view text) {
  Document document(text);
  Process process = parse_process(document);
  LoadedProcess loaded;
  loaded.diagnostics = judge(document, process, validate_process);
  if (!has_errors(loaded.diagnostics)) loaded.process = std::move(process);
  return loaded;
}

LoadedResources load_resources(std::string_view text) {
  Document document(text);
  Resources resources = parse_resources(document);
  LoadedResources loaded;
  loaded.diagnostics = judge(document, resources, validate_resources);
  if (!has_errors(loaded.diagnostics)) loaded.resources = std::move(resources);
  return loaded;
}

}  // namespace spec
