#include "spec/parse.h"

#include "spec/parse_parts.h"

namespace spec {

template <>
struct Fields<Root> {
  static constexpr std::string_view kSection = "config.md, \"Root\"";
  static constexpr Field<Root> kTable[] = {
      field<&Root::path>("path", Need::kRequired),
      field<&Root::readonly>("readonly"),
  };
};

template <>
struct Fields<Mount> {
  static constexpr std::string_view kSection = "config.md, \"Mounts\"";
  static constexpr Field<Mount> kTable[] = {
      field<&Mount::destination>("destination", Need::kRequired),
      field<&Mount::type>("type"),
      field<&Mount::source>("source"),
      field<&Mount::options>("options"),
      field<&Mount::uid_mappings>("uidMappings"),
      field<&Mount::gid_mappings>("gidMappings"),
  };
};

template <>
struct Fields<ConsoleSize> {
  static constexpr std::string_view kSection = "config.md, \"Process\"";
  static constexpr Field<ConsoleSize> kTable[] = {
      field<&ConsoleSize::height>("height", Need::kRequired),
      field<&ConsoleSize::width>("width", Need::kRequired),
  };
};

template <>
struct Fields<Rlimit> {
  static constexpr std::string_view kSection = "config.md, \"POSIX process\"";
  static constexpr Field<Rlimit> kTable[] = {
      field<&Rlimit::type>("type", Need::kRequired),
      field<&Rlimit::soft>("soft", Need::kRequired),
      field<&Rlimit::hard>("hard", Need::kRequired),
  };
};

template <>
struct Fields<User> {
  static constexpr std::string_view kSection = "config.md, \"POSIX-platform User\"";
  static constexpr Field<User> kTable[] = {
      field<&User::uid>("uid", Need::kRequired),
      field<&User::gid>("gid", Need::kRequired),
      field<&User::umask>("umask"),
      field<&User::additional_gids>("additionalGids"),
      foreign<User>("username"),  // Windows, z/OS
  };
};

template <>
struct Fields<Capabilities> {
  static constexpr std::string_view kSection = "config.md, \"Linux Process\"";
  static constexpr Field<Capabilities> kTable[] = {
      field<&Capabilities::bounding>("bounding"),
      field<&Capabilities::effective>("effective"),
      field<&Capabilities::inheritable>("inheritable"),
      field<&Capabilities::permitted>("permitted"),
      field<&Capabilities::ambient>("ambient"),
  };
};

template <>
struct Fields<Scheduler> {
  static constexpr std::string_view kSection = "config.md, \"Linux Process\"";
  static constexpr Field<Scheduler> kTable[] = {
      field<&Scheduler::policy>("policy", Need::kRequired),
      field<&Scheduler::nice>("nice"),
      field<&Scheduler::priority>("priority"),
      field<&Scheduler::flags>("flags"),
      field<&Scheduler::runtime_ns>("runtime"),
      field<&Scheduler::deadline_ns>("deadline"),
      field<&Scheduler::period_ns>("period"),
  };
};

template <>
struct Fields<IoPriority> {
  static constexpr std::string_view kSection = "config.md, \"Linux Process\"";
  static constexpr Field<IoPriority> kTable[] = {
      field<&IoPriority::class_name>("class", Need::kRequired),
      field<&IoPriority::priority>("priority", Need::kRequired),
  };
};

template <>
struct Fields<ExecCpuAffinity> {
  static constexpr std::string_view kSection = "config.md, \"Linux Process\"";
  static constexpr Field<ExecCpuAffinity> kTable[] = {
      field<&ExecCpuAffinity::initial>("initial"),
      field<&ExecCpuAffinity::final_list>("final"),
  };
};

template <>
struct Fields<Process> {
  static constexpr std::string_view kSection = "config.md, \"Process\"";
  static constexpr Field<Process> kTable[] = {
      field<&Process::terminal>("terminal"),
      // read_process reads it, once `terminal` is known.
      {"consoleSize", [](const Node& /*node*/, Process& /*into*/) {}},
      field<&Process::cwd>("cwd", Need::kRequired),
      field<&Process::env>("env"),
      field<&Process::args>("args", Need::kRequired),
      foreign<Process>("commandLine"),  // Windows
      field<&Process::rlimits>("rlimits"),
      field<&Process::user>("user"),
      field<&Process::capabilities>("capabilities"),
      field<&Process::no_new_privileges>("noNewPrivileges"),
      field<&Process::oom_score_adj>("oomScoreAdj"),
      field<&Process::apparmor_profile>("apparmorProfile"),
      field<&Process::selinux_label>("selinuxLabel"),
      field<&Process::scheduler>("scheduler"),
      field<&Process::io_priority>("ioPriority"),
      field<&Process::exec_cpu_affinity>("execCPUAffinity"),
  };
};

template <>
struct Fields<Hook> {
  static constexpr std::string_view kSection = "config.md, \"POSIX-platform Hooks\"";
  static constexpr Field<Hook> kTable[] = {
      field<&Hook::path>("path", Need::kRequired),
      field<&Hook::args>("args"),
      field<&Hook::env>("env"),
      field<&Hook::timeout_s>("timeout"),
  };
};

template <>
struct Fields<Hooks> {
  static constexpr std::string_view kSection = "config.md, \"POSIX-platform Hooks\"";
  static constexpr Field<Hooks> kTable[] = {
      field<&Hooks::prestart>("prestart"),
      field<&Hooks::create_runtime>("createRuntime"),
      field<&Hooks::create_container>("createContainer"),
      field<&Hooks::start_container>("startContainer"),
      field<&Hooks::poststart>("poststart"),
      field<&Hooks::poststop>("poststop"),
  };
};

namespace {

/// "Runtimes MUST ignore consoleSize if terminal is false or unset", even when it makes no sense.
void read_process(const Node& node, Process& into) {
  read(node, into);
  const auto size = node.find("consoleSize");
  if (into.terminal && size) read(*size, into.console_size);
}

}  // namespace

template <>
struct Fields<Config> {
  static constexpr std::string_view kSection = "config.md, \"Configuration\"";
  static constexpr Field<Config> kTable[] = {
      field<&Config::oci_version>("ociVersion", Need::kRequired),
      field<&Config::root>("root", Need::kRequired),
      field<&Config::hostname>("hostname"),
      field<&Config::domainname>("domainname"),
      field<&Config::mounts>("mounts"),
      {"process",
       [](const Node& node, Config& into) { read_process(node, into.process.emplace()); }},
      field<&Config::hooks>("hooks"),
      field<&Config::annotations>("annotations"),
      {"linux", [](const Node& node, Config& into) { read_linux(node, into.linux_); }},
      foreign<Config>("solaris"),
      foreign<Config>("windows"),
      foreign<Config>("vm"),
      foreign<Config>("zos"),
      foreign<Config>("freebsd"),
  };
};

Config parse_config(Document& document) {
  Config config;
  read(document.root(), config);
  return config;
}

Process parse_process(Document& document) {
  Process process;
  read_process(document.root(), process);
  return process;
}

}  // namespace spec
