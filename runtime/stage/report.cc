#include "runtime/stage/report.h"

#include "runtime/stage/wire.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::stage {
namespace {

/// All that the reader may take while init must still wait.
constexpr size_t kHeadSize = offsetof(Wire, call);

/// `size` bytes, or fewer at the end of the pipe.
Result<size_t> read_fully(int pipe, void* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    // It may have been opened without waiting for a writer.
    TRY(sys::wait_readable({pipe}, std::chrono::milliseconds(-1)));
    const size_t count = TRY(sys::read(pipe, static_cast<char*>(data) + done, size - done));
    if (count == 0) break;
    done += count;
  }
  return done;
}

}  // namespace

Status report_failure(int pipe, const Error& error) {
  const Wire wire = to_wire(Message::kFailed, error);
  return sys::write_all(pipe, {reinterpret_cast<const char*>(&wire), sizeof wire});
}

Status report_execution(int pipe) {
  Wire wire;
  wire.message = Message::kExecutes;
  return sys::write_all(pipe, {reinterpret_cast<const char*>(&wire), kHeadSize});
}

Result<std::string> prepare_offer(int pipe) {
  const size_t capacity = TRY(sys::pipe_size(pipe));
  // The bytes beyond whole pages may go first, into the page of an earlier message (pipe(7)). When
  // the reader has taken the head, some of them must be left there, and the rest must not fit.
  return std::string(std::max(capacity, sizeof(Wire)) + kHeadSize + 1, '\0');
}

Status offer_listener(int pipe, std::string& offer, int listener) {
  Wire wire;
  wire.message = Message::kListener;
  wire.code = listener;
  std::memcpy(offer.data(), &wire, sizeof wire);
  return sys::write_all(pipe, offer);
}

Result<Report> read_report(int pipe) {
  Wire wire;
  Report report;
  const size_t head = TRY(read_fully(pipe, &wire, kHeadSize));
  if (head == 0) return report;
  if (head == kHeadSize && wire.message == Message::kExecutes) {
    report.executes = true;
    return report;
  }
  if (head == kHeadSize && wire.message == Message::kListener) {
    report.listener = wire.code;
    return report;
  }
  const size_t rest =
      TRY(read_fully(pipe, reinterpret_cast<char*>(&wire) + kHeadSize, sizeof wire - kHeadSize));
  if (head + rest != sizeof wire || wire.message != Message::kFailed) {
    return Error("a message out of turn from init");
  }
  report.failure = error_of(wire);
  return report;
}

Status take_offer(int pipe) {
  std::string offer = TRY(prepare_offer(pipe));
  TRY(read_fully(pipe, offer.data(), offer.size() - kHeadSize));
  return ok();
}

}  // namespace rt::stage
