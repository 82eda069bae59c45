#include "sidecar/transport/acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"

namespace zrs::transport {
namespace {

// How often it is looked whether a shortage is over.
constexpr absl::Duration kLook = absl::Seconds(1);

constexpr char kRemedy[] =
    "raise the limit of open files (LimitNOFILE= in the service's unit, or ulimit -n), or see who connects; "
    "it goes on by itself once there are some again";

rlim_t DescriptorLimit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

// Where there are few, most are for who connects all the same.
rlim_t Reserved(rlim_t limit, Reserve reserve) {
  const rlim_t whole = std::min<rlim_t>(limit / 8, 64);
  return reserve == Reserve::kHalf ? whole / 2 : whole;
}

int Milliseconds(absl::Duration time) { return static_cast<int>(absl::ToInt64Milliseconds(time)); }

}  // namespace

Acceptor::Acceptor(AcceptorOptions options, std::vector<Descriptor> sockets, std::function<void(int fd)> take)
    : options_(std::move(options)),
      sockets_(std::move(sockets)),
      take_(std::move(take)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (stop_.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread([this] { Run(); });
}

Acceptor::~Acceptor() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void Acceptor::Run() {
  pthread_setname_np(pthread_self(), "zrs-accept");
  bool failed = false;
  for (;;) {
    std::vector<pollfd> waited = {{stop_.get(), POLLIN, 0}};
    // An accept that failed would fail again at once: a connection stays in the queue.
    for (size_t i = 0; i < sockets_.size() && !failed; i++) waited.push_back({sockets_[i].get(), POLLIN, 0});
    const int timeout = failed ? Milliseconds(options_.retry) : turned_away_ != 0 ? Milliseconds(kLook) : -1;
    if (poll(waited.data(), waited.size(), timeout) < 0) continue;
    if (waited[0].revents != 0) return;
    failed = false;
    for (size_t i = 1; i < waited.size(); i++) {
      if (waited[i].revents != 0 && !AcceptOne(waited[i].fd)) failed = true;
    }
    SayWhenOver();
  }
}

// False where there may be one that could not be accepted.
bool Acceptor::AcceptOne(int socket) {
  Descriptor accepted(accept4(socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (accepted.get() < 0) {
    const int error = errno;
    if (error == EAGAIN || error == EINTR || error == ECONNABORTED) return true;
    TurnedAway(absl::StrCat("none can be accepted: ", std::strerror(error)),
               error == EMFILE ? kRemedy : "see to that host; it is tried again and again");
    return false;
  }
  if (HasRoom(accepted.get())) {
    take_(accepted.Release());
    return true;
  }
  const rlim_t limit = DescriptorLimit();
  TurnedAway(absl::StrCat("of the ", limit, " files that the process may have open ", Reserved(limit, options_.reserve),
                          " are kept for its own work, and all others are in use"),
             kRemedy);
  return true;
}

// The system gives out the lowest descriptor that is free, so all below `fd` are in use.
bool Acceptor::HasRoom(int fd) const {
  const rlim_t limit = DescriptorLimit();
  return static_cast<rlim_t>(fd) < limit - Reserved(limit, options_.reserve);
}

void Acceptor::TurnedAway(const std::string& why, const std::string& remedy) {
  last_turned_away_ = Clock::now();
  const std::string message = absl::StrCat(options_.address, ": connections are turned away: ", why);
  const bool first = turned_away_++ == 0;
  if (!options_.on_turned_away) {
    if (first) spdlog::warn("{}; {}", message, remedy);
    return;
  }
  if (!first && last_turned_away_ - last_told_ < absl::ToChronoMilliseconds(kLook)) return;
  last_told_ = last_turned_away_;
  options_.on_turned_away(message, remedy);
}

void Acceptor::SayWhenOver() {
  if (turned_away_ == 0 || Clock::now() - last_turned_away_ < absl::ToChronoMilliseconds(options_.quiet)) return;
  const Descriptor free(fcntl(stop_.get(), F_DUPFD_CLOEXEC, 0));
  if (free.get() < 0 || !HasRoom(free.get())) return;
  turned_away_ = 0;
  spdlog::info("{}: connections are accepted again", options_.address);
}

}  // namespace zrs::transport
