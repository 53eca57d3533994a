#include "runtime/container/criu.h"

#include <fcntl.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>

#include "runtime/sys/file.h"
#include "runtime/sys/process.h"
#include "runtime/sys/socket.h"
#include "spec/json.h"
#include "spec/json_writer.h"

namespace rt::container {
namespace {

constexpr int kChannel = 3;  // runtime-criu's end of it
constexpr size_t kLongestAnswer = 65536;
constexpr size_t kLongestLog = size_t{64} << 20;
constexpr size_t kErrorsShown = 3;

/// What runtime-criu sends.
struct Notify {
  std::string script;
  pid_t pid = 0;
};
struct Restored {
  pid_t pid = 0;
};
struct Answer {
  std::string helper_error;
  std::string type;
  bool success = false;
  Notify notify;
  Restored restore;
  int32_t code = 0;
  std::string message;
};

}  // namespace
}  // namespace rt::container

template <>
struct spec::Fields<rt::container::Notify> {
  using Notify = rt::container::Notify;
  static constexpr std::string_view kSection{};
  static constexpr spec::Field<Notify> kTable[] = {
      spec::field<&Notify::script>("script"),
      spec::field<&Notify::pid>("pid"),
  };
};

template <>
struct spec::Fields<rt::container::Restored> {
  using Restored = rt::container::Restored;
  static constexpr std::string_view kSection{};
  static constexpr spec::Field<Restored> kTable[] = {spec::field<&Restored::pid>("pid")};
};

template <>
struct spec::Fields<rt::container::Answer> {
  using Answer = rt::container::Answer;
  static constexpr std::string_view kSection{};
  static constexpr spec::Field<Answer> kTable[] = {
      spec::field<&Answer::helper_error>("helper_error"), spec::field<&Answer::type>("type"),
      spec::field<&Answer::success>("success"),           spec::field<&Answer::notify>("notify"),
      spec::field<&Answer::restore>("restore"),           spec::field<&Answer::code>("cr_errno"),
      spec::field<&Answer::message>("cr_errmsg"),
  };
};

namespace rt::container {
namespace {

/// Descriptors that CRIU knows by their numbers, and therefore keeps.
std::vector<int> kept_by(const CriuOrder& order) {
  std::vector<int> kept = {order.images.get(), order.work.get()};
  for (const InheritedFd& one : order.inherited) kept.push_back(one.fd.get());
  return kept;
}

Result<UniqueFd> open_program(const std::string& path) {
  const UniqueFd file = TRY(sys::open(path, O_PATH), path);
  return sys::duplicate(file.get());
}

/// In the child: becomes runtime-criu. Comes back with the reason why not.
Error execute(const CriuProgram& program, const CriuOrder& order,
              const CriuConversation& conversation, int channel, int output) {
  // It ends in its own time when we do: processes that are being saved would not survive the
  // sudden end of CRIU. Nor shall a terminal's ^C reach it.
  TRY(sys::setsid());
  TRY(sys::reset_signals());
  // Now: /tmp may be another one afterwards.
  const UniqueFd helper = TRY(open_program(program.helper));
  const UniqueFd criu = TRY(open_program(program.criu));
  if (conversation.prepare) TRY(conversation.prepare());
  TRY(sys::dup2(output, 1));
  TRY(sys::dup2(output, 2));
  // It may have that number already, which it would lose by the execution then.
  const UniqueFd copy = TRY(sys::duplicate(channel));
  TRY(sys::dup2(copy.get(), kChannel));
  std::vector<int> kept = kept_by(order);
  kept.push_back(criu.get());
  for (const int fd : kept) TRY(sys::keep_on_exec(fd));
  kept.push_back(helper.get());
  TRY(sys::close_from(kChannel + 1, kept));
  // Elsewhere it keeps its name, by which it is looked for.
  const bool hidden = program.criu.starts_with("/tmp/");
  const std::string word = hidden ? cat("/proc/self/fd/", criu.get()) : program.criu;
  const std::vector<std::string> words = {program.helper, word};
  // CRIU calls tar, iptables-restore and others.
  const std::vector<std::string> variables = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  const std::vector<char*> args = sys::exec_array(words);
  const std::vector<char*> env = sys::exec_array(variables);
  return sys::execveat(helper.get(), args.data(), env.data()).within(program.helper);
}

[[noreturn]] void become_helper(const CriuProgram& program, const CriuOrder& order,
                                const CriuConversation& conversation, int channel, int output) {
  const Error why = execute(program, order, conversation, channel, output);
  spec::JsonWriter json;
  json.begin_object().key("helper_error").value(why.message()).end_object();
  const std::string told = json.text();
  // It may be at its number already, or not yet.
  if (!sys::send(kChannel, told.data(), told.size())) {
    static_cast<void>(sys::send(channel, told.data(), told.size()));
  }
  sys::exit_now(EXIT_FAILURE);
}

/// What runtime-criu and CRIU said before they had a log.
std::string last_words(int output) {
  const Result<std::string> text = sys::read_start(output, kLongestAnswer);
  std::string words = text ? text.value() : "";
  while (words.ends_with('\n')) words.pop_back();
  return words;
}

/// The two in their talk.
class Talk {
 public:
  Talk(const CriuConversation& conversation, int channel)
      : conversation_(conversation), channel_(channel) {}

  /// The last answer. An error is that there is none.
  Result<Answer> listen() {
    while (true) {
      Answer answer = TRY(next());
      if (!answer.helper_error.empty()) return Error(std::move(answer.helper_error));
      if (answer.type != "NOTIFY") return answer;
      CriuNotice notice{.moment = std::move(answer.notify.script),
                        .pid = answer.notify.pid,
                        .descriptor = std::move(descriptor_)};
      TRY(reply(conversation_.notice ? conversation_.notice(notice) : ok()));
    }
  }

  /// CRIU and the helper have their last work to do, which our end of the channel must not disturb.
  void wait_for_end() {
    std::array<char, 256> rest;
    while (true) {
      const Result<sys::Received> received = sys::receive(channel_, rest.data(), rest.size());
      if (!received || received.value().size == 0) return;
    }
  }

  /// What we ended CRIU's work for, if we did.
  [[nodiscard]] const std::optional<Error>& objection() const { return objection_; }

 private:
  Result<Answer> next() {
    TRY(wait());
    std::string text(kLongestAnswer, '\0');
    Result<sys::Received> heard = sys::receive(channel_, text.data(), text.size());
    const bool reset = !heard && heard.error().code() == ECONNRESET;
    if (reset || (heard && heard.value().size == 0)) {
      return Error("runtime-criu ended without an answer");
    }
    sys::Received received = TRY(std::move(heard));
    text.resize(received.size);
    descriptor_ = std::move(received.descriptor);
    return spec::parse_as<Answer>(text);
  }

  /// Until there is something to hear. The first signal to end is the end of the talk.
  Status wait() {
    while (conversation_.signals >= 0 && !objection_) {
      constexpr std::chrono::milliseconds kForEver(-1);
      const auto ready = TRY(sys::wait_readable({channel_, conversation_.signals}, kForEver));
      if (ready != size_t{1}) return ok();
      const int signal = TRY(sys::read_signal(conversation_.signals));
      if (signal != SIGINT && signal != SIGTERM && signal != SIGHUP) continue;
      objection_ = Error::from_wire(EINTR, "", "interrupted");
      TRY(sys::shutdown(channel_));
    }
    return ok();
  }

  Status reply(const Status& status) {
    if (!status && !objection_) objection_ = status.error();
    spec::JsonWriter json;
    json.begin_object().key("type").value("NOTIFY");
    json.key("notify_success").value(status.ok()).end_object();
    const std::string text = json.text();
    Status sent = sys::send(channel_, text.data(), text.size());
    // Who is gone has left a word why.
    if (!sent && sent.error().code() == EPIPE) return ok();
    return sent;
  }

  const CriuConversation& conversation_;
  int channel_;
  UniqueFd descriptor_;
  std::optional<Error> objection_;
};

/// "(00.012345) Error (criu/mount.c:753): mnt: no" is "mnt: no"; nothing where it is no error.
std::optional<std::string> error_in(std::string_view line) {
  const size_t word = line.find("Error (");
  if (word == line.npos || word > 32) return std::nullopt;
  const size_t end = line.find("): ", word);
  if (end == line.npos) return std::nullopt;
  const std::string_view what = line.substr(end + 3);
  // Said of every failure, and where there is none.
  const bool empty = what.ends_with(" FAILED.") || what.starts_with("tun: Unable to create tun");
  return empty ? std::nullopt : std::optional<std::string>(what);
}

/// CRIU's words may hold the payload's, in names of its files: they must not drive a terminal.
std::string shown(std::string_view line) {
  constexpr size_t kLongestLine = 300;
  const std::string escaped = quoted(line.substr(0, kLongestLine));
  return escaped.substr(1, escaped.size() - 2);
}

Error explain(const Answer& answer, const std::string& log_path) {
  const Result<std::string> log = sys::read_file(log_path, kLongestLog);
  const auto lines = log ? errors_in_log(log.value(), kErrorsShown) : std::vector<std::string>();
  std::string why;
  bool at_mount = false;
  for (const std::string& line : lines) {
    why += cat(why.empty() ? "" : "; ", shown(line));
    at_mount = at_mount || line.find("doesn't have a proper root mount") != line.npos;
  }
  if (why.empty() && !answer.message.empty()) why = shown(answer.message);
  if (why.empty()) why = answer.code != 0 ? errno_text(answer.code) : "it does not say why";
  Error error(cat("criu failed: ", why));
  if (at_mount) {
    error = std::move(error).with_hint(
        "that mount shows something else than config.json has there, or lies under another one");
  }
  return std::move(error).with_hint("log file: ", log_path);
}

}  // namespace

std::vector<std::string> errors_in_log(std::string_view log, size_t most) {
  std::vector<std::string> errors;
  for (const std::string_view line : split(log, '\n')) {
    std::optional<std::string> error = error_in(line);
    if (error && errors.size() < most) errors.push_back(*std::move(error));
  }
  return errors;
}

Result<pid_t> run_criu(const CriuProgram& program, const CriuOrder& order,
                       const CriuConversation& conversation, const std::string& log_path) {
  sys::SocketPair channel = TRY(sys::socket_pair());
  const UniqueFd output = TRY(sys::memfd_create("criu"));
  const std::string request = to_json(order);
  TRY(sys::set_send_buffer(channel.ours.get(), request.size()));
  const sys::Child child = TRY(sys::clone(0));
  if (child.pid == 0) {
    become_helper(program, order, conversation, channel.theirs.get(), output.get());
  }
  channel.theirs.reset();
  const Status asked = sys::send(channel.ours.get(), request.data(), request.size());
  Talk talk(conversation, channel.ours.get());
  // What is wrong with the helper itself, it says even to who could not ask it.
  Result<Answer> answer = talk.listen();
  talk.wait_for_end();
  TRY(sys::wait_for(child.pid));
  if (talk.objection()) return *talk.objection();
  if (!answer) {
    if (!asked) return asked.error();
    const std::string words = last_words(output.get());
    Error error = std::move(answer).error();
    return words.empty() ? error : std::move(error).with_hint(quoted(words));
  }
  if (!answer.value().success) return explain(answer.value(), log_path);
  return answer.value().restore.pid;
}

}  // namespace rt::container
