// docs/orchestrators.md: each block that can run here, as it stands there, on a machine that has
// the runtime where the document says. $PACKAGE names a Debian package to install; by default the
// program that was built is put into its place.
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"
#include "tests/engines/document.h"
#include "tests/engines/engine.h"
#include "tests/support/matchers.h"

namespace rt::testing {
namespace {

constexpr const char* kUser = "somebody";

std::string file_of_tree(const std::string& path) {
  const char* runfiles = std::getenv("TEST_SRCDIR");
  return runfiles == nullptr ? path : cat(runfiles, "/runtime/", path);
}

Result<std::vector<Section>> the_document() {
  const std::string text =
      TRY(sys::read_file(file_of_tree("docs/orchestrators.md"), size_t{1} << 20));
  return read_document(text);
}

Outcome shell(const std::string& script, bool root = true) {
  if (root) return call_program("bash", {"-c", script});
  const struct passwd* user = ::getpwnam(kUser);
  const std::string runtime_directory = cat("XDG_RUNTIME_DIR=/run/user/", user->pw_uid);
  const std::string home = cat("HOME=", user->pw_dir);
  Call call;
  call.cwd = user->pw_dir;
  return call_program(
      "runuser", {"-u", kUser, "--", "env", home, runtime_directory, "bash", "-c", script}, call);
}

void must(const std::string& script) {
  const Outcome outcome = shell(script);
  ASSERT_TRUE(succeeds(outcome)) << script << '\n' << outcome.out;
}

void write_file(const std::string& path, const std::string& text) {
  must(cat("mkdir -p ", path.substr(0, path.rfind('/'))));
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  ASSERT_TRUE(file && sys::write_all(file.get(), text).ok()) << path;
}

/// Puts the runtime where the document has it.
void install() {
  if (const char* package = std::getenv("PACKAGE"); package != nullptr) {
    return must(cat("dpkg --install ", package));
  }
  const std::string built = runtime_binary();
  const std::string directory = built.substr(0, built.rfind('/'));
  must(cat("install -D -m 755 ", built, " /usr/bin/runtime"));
  must(cat("install -D -m 755 -t /usr/libexec/runtime ", directory, "/runtime-systemd ", directory,
           "/runtime-criu"));
}

/// The image that everybody has. There is no registry here.
void import_for_docker() { must(cat("docker import ", root_archive(), " busybox")); }

void import_for_containerd() {
  must(cat("ctr image import --index-name docker.io/library/busybox:latest ", image_archive()));
}

constexpr const char* kPodmanImport = "podman import --quiet /tmp/busybox.tar busybox";

void make_user() {
  must(cat("useradd --create-home --home-dir /run/", kUser, " --shell /bin/bash ", kUser));
  must(cat("install -d -m 700 -o ", kUser, " /run/user/$(id -u ", kUser, ")"));
}

/// There is no network either; and the machine that this one is made on may not allow the limits
/// that podman asks for.
void prepare_podman() {
  write_file("/etc/containers/containers.conf.d/machine.conf",
             "[containers]\nnetns = \"none\"\n"
             "default_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n");
  must(cat("install -m 644 ", root_archive(), " /tmp/busybox.tar"));
  must(kPodmanImport);
  if (::getpwnam(kUser) == nullptr) make_user();
  const Outcome imported = shell(kPodmanImport, false);
  ASSERT_TRUE(succeeds(imported));
}

/// What systemd would start; on this machine nobody does.
struct Service {
  std::string name;
  std::vector<std::string> args;
  std::string question;  // that it answers once it is there
};

const Service& service_named(const std::string& name) {
  static const std::vector<Service> kServices = {
      {.name = "containerd", .args = {}, .question = "ctr version"},
      {.name = "docker",
       .args = {"--bridge=none", "--iptables=false"},
       .question = "docker version"},
  };
  for (const Service& service : kServices) {
    if (service.name == name) return service;
  }
  ADD_FAILURE() << "systemctl: there is no service " << name << " here";
  return kServices[0];
}

/// Which engine a section is about.
struct Engines {
  const char* title;
  std::vector<std::string> programs;
  std::vector<std::string> services;
  void (*prepare)();
};

const std::vector<Engines>& engines() {
  static const std::vector<Engines> kAll = {
      {"Docker", {"docker", "dockerd", "containerd"}, {"containerd", "docker"}, import_for_docker},
      {"containerd", {"containerd", "ctr", "umoci"}, {"containerd"}, import_for_containerd},
      {"Podman", {"podman", "newuidmap"}, {}, prepare_podman},
      {"Buildah", {"podman", "buildah"}, {}, prepare_podman},
  };
  return kAll;
}

const Engines* engines_of(const std::string& title) {
  for (const Engines& one : engines()) {
    if (one.title == title) return &one;
  }
  return nullptr;
}

/// Between two commands, with the exit status of the first: "==next 0".
constexpr std::string_view kNext = "\n==next ";

struct Answer {
  std::string printed;
  std::string status;
};

/// What each of the commands printed, and how it ended. One shell: what one sets the next one sees.
std::vector<Answer> converse(const Block& block) {
  std::string script;
  for (const Exchange& one : block.exchanges) {
    script += cat("{ ", one.command, "\n} </dev/null 2>&1; status=$?\n",
                  R"(printf '\n==next %d\n' $status)", "\n(exit $status)\n");
  }
  const std::string out = shell(script, block.root).out;
  std::vector<Answer> answers;
  for (size_t begin = 0, end = 0; (end = out.find(kNext, begin)) != std::string::npos;) {
    const size_t status = end + kNext.size();
    const size_t line_end = out.find('\n', status);
    answers.push_back({out.substr(begin, end - begin), out.substr(status, line_end - status)});
    begin = line_end + 1;
  }
  return answers;
}

class Document : public Engine, public ::testing::WithParamInterface<Section> {
 protected:
  Document() : Engine(engines_of(GetParam().title)->programs) {}

  void SetUp() override {
    Engine::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(install());
    const Engines& needed = *engines_of(GetParam().title);
    for (const std::string& service : needed.services) restart(service);
    needed.prepare();
  }

  void TearDown() override {
    running_.erase("docker");  // before what it talks to
    running_.clear();
    for (const std::string& path : written_) ::unlink(path.c_str());
    Engine::TearDown();
  }

  void try_out(const Block& block) {
    if (!block.path.empty()) {
      written_.push_back(block.path);
      return write_file(block.path, block.text);
    }
    const std::string_view first = block.exchanges.front().command;
    if (constexpr std::string_view kRestart = "systemctl restart "; first.starts_with(kRestart)) {
      return restart(std::string(first.substr(kRestart.size())));
    }
    const std::vector<Answer> answers = converse(block);
    ASSERT_EQ(answers.size(), block.exchanges.size()) << "line " << block.line;
    for (size_t i = 0; i < answers.size(); ++i) {
      const bool may_fail = i + 1 < answers.size() && block.exchanges[i + 1].command == "echo $?";
      check(block.exchanges[i], answers[i], may_fail);
    }
  }

 private:
  static void check(const Exchange& exchange, const Answer& answer, bool may_fail) {
    EXPECT_TRUE(is_what_was_printed(exchange.output, answer.printed))
        << "line " << exchange.line << ": " << exchange.command << "\nit printed:\n"
        << answer.printed << "\nnot:\n"
        << exchange.output;
    EXPECT_TRUE(may_fail || answer.status == "0")
        << "line " << exchange.line << ": " << exchange.command << ": status " << answer.status;
  }

  void restart(const std::string& name) {
    const Service& service = service_named(name);
    running_.erase(name);
    running_[name] =
        std::make_unique<Daemon>(name == "docker" ? "dockerd" : name, service.args,
                                 [&service] { return shell(service.question).exit_code == 0; });
  }

  std::map<std::string, std::unique_ptr<Daemon>> running_;
  std::vector<std::string> written_;
};

TEST_P(Document, DoesWhatItSays) {
  for (const Block& block : GetParam().blocks) {
    try_out(block);
    if (HasFatalFailure()) return;
  }
}

std::vector<Section> sections_that_can_run() {
  const Result<std::vector<Section>> sections = the_document();
  std::vector<Section> found;
  if (!sections) return found;  // the next test says why
  for (const Section& section : sections.value()) {
    if (engines_of(section.title) != nullptr) found.push_back(section);
  }
  return found;
}

INSTANTIATE_TEST_SUITE_P(Orchestrators, Document, ::testing::ValuesIn(sections_that_can_run()),
                         [](const auto& info) {
                           std::string name;
                           for (const char one : info.param.title) {
                             if (std::isalnum(one) != 0) name += one;
                           }
                           return name;
                         });

TEST(Documents, HaveNoBlockThatNobodyTries) {
  const Result<std::vector<Section>> sections = the_document();
  ASSERT_TRUE(is_ok(sections));
  for (const Section& section : sections.value()) {
    EXPECT_NE(engines_of(section.title), nullptr) << "nobody knows \"" << section.title << '"';
  }
  EXPECT_EQ(sections.value().size(), engines().size());
}

TEST(Documents, ExpectedOutputIsAPattern) {
  EXPECT_TRUE(is_what_was_printed("", "\n"));
  EXPECT_TRUE(is_what_was_printed("hello\n", "hello\n\n"));
  EXPECT_TRUE(is_what_was_printed("a...c...e\n", "abcde\n"));
  EXPECT_TRUE(is_what_was_printed("first\n...\nlast\n", "first\n2\n3\nlast\n"));
  EXPECT_FALSE(is_what_was_printed("", "hello\n"));
  EXPECT_FALSE(is_what_was_printed("hello\n", "hello\nworld\n"));
  EXPECT_FALSE(is_what_was_printed("a...c\n", "abcd\n"));
  EXPECT_FALSE(is_what_was_printed("...\nlast\n", "first\n"));
}

}  // namespace
}  // namespace rt::testing
