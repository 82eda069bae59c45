#include "sidecar/runtime/inotify_watcher.h"

#include <errno.h>
#include <limits.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/time/time.h"
#include "sidecar/runtime/pace.h"

namespace zrs::runtime {
namespace {

// A writer without pauses writes thousands of times in a second. To look at each would cost it more of its processors
// than it gains the copies; a commit now and then is looked at at once.
constexpr absl::Duration kPace = absl::Milliseconds(4);
constexpr int kBurst = 10;

constexpr uint32_t kFileMask = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;
constexpr uint32_t kDirectoryMask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;

// Events after which the name may lead to another file. A file that is open elsewhere sends IN_ATTRIB, not
// IN_DELETE_SELF, when its last name goes.
constexpr uint32_t kNameEvents = ~uint32_t{IN_MODIFY};

struct SplitPath {
  std::string directory;
  std::string name;
};

SplitPath Split(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string Cause(int error) {
  std::string cause = std::generic_category().message(error);
  if (error == ENOSPC) cause += " (fs.inotify.max_user_watches is used up: raise it with sysctl)";
  if (error == EMFILE) cause += " (fs.inotify.max_user_instances or the limit of open files is used up: raise it)";
  return cause;
}

// What the strand and the instance share about one watch.
struct Subscription {
  Subscription(Runtime& on, std::function<void()> what) : runtime(on), changed(std::move(what)) {}

  Runtime& runtime;
  std::function<void()> changed;  // called and cleared on the strand only
  std::atomic<bool> posted{false};
  std::atomic<bool> ignores_writes{false};
  std::atomic<bool> native{true};
};

// Posts a call of `changed`, unless one is under way already. It may be called at once.
void Notify(const std::shared_ptr<Subscription>& subscription) {
  if (subscription->posted.exchange(true)) return;
  subscription->runtime.Post([subscription] {
    subscription->posted.store(false);
    if (!subscription->changed) return;
    const std::function<void()> changed = subscription->changed;  // which may destroy the watch
    changed();
  });
}

}  // namespace

// The inotify descriptor and who listens to what. Thread-safe. It lives on while a read is outstanding.
class InotifyWatcher::Instance : public std::enable_shared_from_this<Instance> {
 public:
  explicit Instance(asio::io_context& io_context) : descriptor_(io_context), pause_(io_context) {}

  void Add(const std::string& path, const std::shared_ptr<Subscription>& subscription);
  void Remove(const std::shared_ptr<Subscription>& subscription);
  // Brings the kernel's watch, soon, to what the subscription wants of writes. Never blocks: a name is looked up for
  // it.
  void AdjustSoon(const std::shared_ptr<Subscription>& subscription);
  void Close();

 private:
  // A watched path; -1 stands for "not watched".
  struct Target {
    std::string path;
    SplitPath split;
    int directory = -1;
    int file = -1;
  };
  using Targets = std::map<std::shared_ptr<Subscription>, Target>;

  using Due = std::vector<std::shared_ptr<Subscription>>;
  void OnRead(const std::error_code& error, size_t size);
  void Adjust(const std::shared_ptr<Subscription>& subscription);
  // All of these are called with mutex_ held.
  bool EnsureOpen();
  void ReadOn();
  void ReadOnAtPace();
  Due OnBytes(size_t size);
  // Whether the event is about the target, and brings its file watch to where its name leads now.
  bool Concerns(const inotify_event& event, const char* name, Targets::value_type& entry);
  void FollowName(Targets::value_type& entry, uint32_t mask = kFileMask);
  bool IsShared(const Target& target) const;
  void Degrade(Targets::value_type& entry, const std::string& what, int error);
  // Gives up the kernel's watch when nobody uses it any more: hard links and directories are shared.
  void Release(int watch);

  std::mutex mutex_;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer pause_;
  Pace pace_{kPace, kBurst};
  bool closed_ = false;
  Targets targets_;
  alignas(inotify_event) std::array<char, 16 * (sizeof(inotify_event) + NAME_MAX + 1)> buffer_;
};

bool InotifyWatcher::Instance::EnsureOpen() {
  if (descriptor_.is_open()) return true;
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return false;
  std::error_code error;
  descriptor_.assign(fd, error);
  if (error) {
    close(fd);
    errno = error.value();
    return false;
  }
  ReadOn();
  return true;
}

void InotifyWatcher::Instance::Add(const std::string& path, const std::shared_ptr<Subscription>& subscription) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Targets::value_type& entry = *targets_.emplace(subscription, Target{path, Split(path)}).first;
  if (!EnsureOpen()) {
    const int error = errno;
    return Degrade(entry, "open inotify", error);
  }
  Target& target = entry.second;
  target.directory = inotify_add_watch(descriptor_.native_handle(), target.split.directory.c_str(), kDirectoryMask);
  if (target.directory < 0) {
    const int error = errno;
    return Degrade(entry, "watch the directory " + target.split.directory, error);
  }
  FollowName(entry);
}

void InotifyWatcher::Instance::Remove(const std::shared_ptr<Subscription>& subscription) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = targets_.find(subscription);
  if (found == targets_.end()) return;
  const Target target = std::move(found->second);
  targets_.erase(found);
  Release(target.file);
  Release(target.directory);
}

void InotifyWatcher::Instance::AdjustSoon(const std::shared_ptr<Subscription>& subscription) {
  asio::post(descriptor_.get_executor(), [self = shared_from_this(), subscription] { self->Adjust(subscription); });
}

void InotifyWatcher::Instance::Adjust(const std::shared_ptr<Subscription>& subscription) {
  bool ignores = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    // Here, so that of two calls that cross, the later one knows what is wanted now.
    ignores = subscription->ignores_writes.load();
    const auto found = targets_.find(subscription);
    if (found == targets_.end()) return;
    // Who shares it goes on being told, and this one too.
    if (!ignores || !IsShared(found->second)) FollowName(*found, ignores ? kFileMask & ~IN_MODIFY : kFileMask);
  }
  if (!ignores) Notify(subscription);
}

void InotifyWatcher::Instance::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  targets_.clear();
  pause_.cancel();
  std::error_code ignored;
  descriptor_.close(ignored);
}

void InotifyWatcher::Instance::ReadOn() {
  descriptor_.async_read_some(
      asio::buffer(buffer_),
      [self = shared_from_this()](const std::error_code& error, size_t size) { self->OnRead(error, size); });
}

void InotifyWatcher::Instance::OnRead(const std::error_code& error, size_t size) {
  Due due;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_ || error == asio::error::operation_aborted) return;
    if (error) {
      for (Targets::value_type& entry : targets_) Degrade(entry, "read from inotify", error.value());
      return;
    }
    due = OnBytes(size);
    ReadOnAtPace();
  }
  for (const std::shared_ptr<Subscription>& subscription : due) Notify(subscription);
}

// Meanwhile the kernel gathers what happens, and merges what is the same.
void InotifyWatcher::Instance::ReadOnAtPace() {
  const auto now = std::chrono::steady_clock::now();
  const absl::Duration delay = pace_.Next(absl::FromChrono(now.time_since_epoch()));
  if (delay == absl::ZeroDuration()) return ReadOn();
  pause_.expires_at(now + absl::ToChronoNanoseconds(delay));
  pause_.async_wait([self = shared_from_this()](const std::error_code&) {
    const std::lock_guard<std::mutex> lock(self->mutex_);
    if (!self->closed_) self->ReadOn();
  });
}

// Whom it concerns, each once.
InotifyWatcher::Instance::Due InotifyWatcher::Instance::OnBytes(size_t size) {
  std::set<std::shared_ptr<Subscription>> due;
  for (size_t offset = 0; offset + sizeof(inotify_event) <= size;) {
    inotify_event event;
    memcpy(&event, buffer_.data() + offset, sizeof(event));
    const char* name = event.len > 0 ? buffer_.data() + offset + sizeof(event) : "";
    for (Targets::value_type& entry : targets_) {
      if (Concerns(event, name, entry)) due.insert(entry.first);
    }
    offset += sizeof(event) + event.len;
  }
  return {due.begin(), due.end()};
}

bool InotifyWatcher::Instance::Concerns(const inotify_event& event, const char* name, Targets::value_type& entry) {
  Target& target = entry.second;
  const bool overflow = (event.mask & IN_Q_OVERFLOW) != 0;
  if (overflow || (event.wd == target.directory && target.split.name == name)) {
    FollowName(entry);
    return true;
  }
  if (event.wd == target.directory && (event.mask & IN_IGNORED) != 0) {
    target.directory = -1;
    Degrade(entry, "watch the directory " + target.split.directory + ", which was removed or unmounted", ENOENT);
    return true;
  }
  if (event.wd != target.file) return false;
  if ((event.mask & IN_IGNORED) != 0) target.file = -1;
  if ((event.mask & kNameEvents) != 0) FollowName(entry);
  return true;
}

void InotifyWatcher::Instance::FollowName(Targets::value_type& entry, uint32_t mask) {
  Target& target = entry.second;
  if (!entry.first->native.load()) return;
  const int now = inotify_add_watch(descriptor_.native_handle(), target.path.c_str(), mask);
  const int error = errno;
  const int before = std::exchange(target.file, now);
  if (before != now) Release(before);
  // A missing file is no fault: the directory tells when it comes.
  if (now < 0 && error != ENOENT) Degrade(entry, "watch the file", error);
}

void InotifyWatcher::Instance::Degrade(Targets::value_type& entry, const std::string& what, int error) {
  if (!entry.first->native.exchange(false)) return;
  spdlog::warn("{}: no file notifications, changes are noticed by the slow poll alone: could not {}: {}",
               entry.second.path, what, Cause(error));
}

bool InotifyWatcher::Instance::IsShared(const Target& target) const {
  return absl::c_any_of(targets_, [&target](const Targets::value_type& entry) {
    return &entry.second != &target && entry.second.file == target.file;
  });
}

void InotifyWatcher::Instance::Release(int watch) {
  if (watch < 0) return;
  for (const Targets::value_type& entry : targets_) {
    if (entry.second.file == watch || entry.second.directory == watch) return;
  }
  inotify_rm_watch(descriptor_.native_handle(), watch);
}

class InotifyWatcher::Handle final : public FileWatch {
 public:
  Handle(std::shared_ptr<Instance> instance, std::shared_ptr<Subscription> subscription)
      : instance_(std::move(instance)), subscription_(std::move(subscription)) {}
  ~Handle() override {
    instance_->Remove(subscription_);
    subscription_->changed = nullptr;
  }
  bool native() const override { return subscription_->native.load(); }
  void IgnoreWrites() override { Adjust(true); }
  void TellWrites() override { Adjust(false); }

 private:
  void Adjust(bool ignores) {
    subscription_->ignores_writes.store(ignores);
    instance_->AdjustSoon(subscription_);
  }

  const std::shared_ptr<Instance> instance_;
  const std::shared_ptr<Subscription> subscription_;
};

InotifyWatcher::InotifyWatcher(asio::io_context& io_context) : instance_(std::make_shared<Instance>(io_context)) {}

InotifyWatcher::~InotifyWatcher() { instance_->Close(); }

std::unique_ptr<FileWatch> InotifyWatcher::Watch(const std::string& path, Runtime& runtime,
                                                 std::function<void()> changed) {
  auto subscription = std::make_shared<Subscription>(runtime, std::move(changed));
  instance_->Add(path, subscription);
  return std::make_unique<Handle>(instance_, std::move(subscription));
}

}  // namespace zrs::runtime
