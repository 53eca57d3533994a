#include "runtime/container/record.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "spec/json.h"
#include "spec/json_writer.h"

namespace rt::container {
namespace {

constexpr int kVersion = 1;

/// The record as its JSON is laid out.
struct Document {
  int version = 0;
  std::string phase;
  Record record;
};

constexpr std::pair<Phase, std::string_view> kPhases[] = {
    {Phase::kCreating, "creating"},
    {Phase::kCreated, "created"},
};

/// Whether `path` can only mean one place.
bool is_plain_absolute(std::string_view path) {
  const auto parts = split(path, '/');
  return path.starts_with('/') && std::ranges::find(parts, "..") == parts.end();
}

Status check(const Record& record) {
  if (record.pid < 0 || record.pid == 1) return Error(cat("pid: ", record.pid, " is not init's"));
  if (record.phase == Phase::kCreated && record.pid == 0) return Error("pid: missing");
  for (const std::string& directory : record.rdt_directories) {
    if (!is_plain_absolute(directory)) {
      return Error(cat("rdtDirectories: ", quoted(directory), " is not an absolute path"));
    }
  }
  for (const cgroup::Directory& directory : record.cgroups) {
    if (!is_plain_absolute(directory.path)) {
      return Error(cat("cgroups: ", quoted(directory.path), " is not an absolute path"));
    }
  }
  return ok();
}

template <auto member, class Object>
void read_in_record(const spec::Node& node, Object& into) {
  spec::read(node, into.record.*member);
}

template <auto member>
constexpr spec::Field<Document> required(std::string_view key) {
  return {key, read_in_record<member, Document>, spec::Need::kRequired};
}

}  // namespace
}  // namespace rt::container

template <>
struct spec::Fields<rt::cgroup::Directory> {
  using Directory = rt::cgroup::Directory;
  static constexpr std::string_view kSection{};
  static constexpr spec::Field<Directory> kTable[] = {
      spec::field<&Directory::path>("path", spec::Need::kRequired),
      spec::field<&Directory::unified>("unified", spec::Need::kRequired),
      spec::field<&Directory::made>("made", spec::Need::kRequired),
      spec::field<&Directory::leaf>("leaf", spec::Need::kRequired),
      spec::field<&Directory::scope>("scope"),
  };
};

template <>
struct spec::Fields<rt::container::Document> {
  using Document = rt::container::Document;
  using Record = rt::container::Record;
  static constexpr std::string_view kSection{};
  static constexpr spec::Field<Document> kTable[] = {
      spec::field<&Document::version>("version", spec::Need::kRequired),
      rt::container::required<&Record::id>("id"),
      rt::container::required<&Record::bundle>("bundle"),
      rt::container::required<&Record::rootfs>("rootfs"),
      rt::container::required<&Record::annotations>("annotations"),
      rt::container::required<&Record::has_process>("hasProcess"),
      rt::container::required<&Record::own_keyring>("ownKeyring"),
      rt::container::required<&Record::poststop_hooks>("poststopHooks"),
      rt::container::required<&Record::notify_socket>("notifySocket"),
      rt::container::required<&Record::created>("created"),
      spec::field<&Document::phase>("phase", spec::Need::kRequired),
      rt::container::required<&Record::boot_id>("bootId"),
      rt::container::required<&Record::pid>("pid"),
      rt::container::required<&Record::start_time>("startTime"),
      rt::container::required<&Record::cgroups>("cgroups"),
      rt::container::required<&Record::rdt_directories>("rdtDirectories"),
  };
};

namespace rt::container {

std::string to_json(const Record& record) {
  spec::JsonWriter json;
  json.begin_object().key("version").value(kVersion);
  json.key("id").value(record.id).key("bundle").value(record.bundle);
  json.key("rootfs").value(record.rootfs).key("annotations").begin_object();
  for (const auto& [key, value] : record.annotations) json.key(key).value(value);
  json.end_object().key("hasProcess").value(record.has_process);
  json.key("ownKeyring").value(record.own_keyring);
  json.key("poststopHooks").value(record.poststop_hooks);
  json.key("notifySocket").value(record.notify_socket);
  json.key("created").value(record.created);
  json.key("phase").value(
      std::ranges::find(kPhases, record.phase, [](const auto& row) { return row.first; })->second);
  json.key("bootId").value(record.boot_id).key("pid").value(record.pid);
  json.key("startTime").value(record.start_time).key("cgroups").begin_array();
  for (const cgroup::Directory& directory : record.cgroups) {
    json.begin_object().key("path").value(directory.path).key("unified").value(directory.unified);
    json.key("made").value(directory.made).key("leaf").value(directory.leaf);
    json.key("scope").value(directory.scope).end_object();
  }
  json.end_array().key("rdtDirectories").begin_array();
  for (const std::string& directory : record.rdt_directories) json.value(directory);
  json.end_array().end_object();
  return json.text();
}

Result<Record> parse_record(std::string_view text) {
  Document document = TRY(spec::parse_as<Document>(text));
  if (document.version != kVersion) {
    // With a code: it is not garbage, and no reason to forget the container.
    return Error::from_wire(
        ENOTSUP, "",
        cat("version ", document.version, " is not known: this runtime writes ", kVersion));
  }
  const auto* phase =
      std::ranges::find(kPhases, document.phase, [](const auto& row) { return row.second; });
  if (phase == std::end(kPhases)) return Error(cat("phase ", quoted(document.phase), ": unknown"));
  document.record.phase = phase->first;
  TRY(check(document.record));
  return std::move(document.record);
}

}  // namespace rt::container
