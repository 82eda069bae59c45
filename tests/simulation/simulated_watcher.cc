#include "tests/simulation/simulated_watcher.h"

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"

namespace zrs::simulation {
namespace {

class SimulatedWatch : public runtime::FileWatch {
 public:
  SimulatedWatch(FileNotifications& notifications, std::function<void()> changed)
      : notifications_(notifications), changed_(std::make_shared<std::function<void()>>(std::move(changed))) {}
  ~SimulatedWatch() override { notifications_.Remove(number_); }

  bool native() const override { return true; }
  void IgnoreWrites() override { notifications_.Ignore(number_, true); }
  void TellWrites() override {
    notifications_.Ignore(number_, false);
    notifications_.Tell(number_);
  }
  void set_number(uint64_t number) { number_ = number; }
  std::weak_ptr<std::function<void()>> changed() const { return changed_; }

 private:
  FileNotifications& notifications_;
  std::shared_ptr<std::function<void()>> changed_;  // gone with the watch, and with it the right to call
  uint64_t number_ = 0;
};

}  // namespace

uint64_t FileNotifications::Add(const std::string& path, std::function<void()> told) {
  watches_.emplace(next_, Watch{path, std::move(told)});
  return next_++;
}

void FileNotifications::Remove(uint64_t number) { watches_.erase(number); }

void FileNotifications::Changed(const std::string& path) {
  for (const auto& [number, watch] : watches_) {
    if (watch.path == path && !watch.ignores) watch.told();
  }
}

void FileNotifications::Ignore(uint64_t number, bool ignores) { watches_.at(number).ignores = ignores; }

void FileNotifications::Tell(uint64_t number) { watches_.at(number).told(); }

bool FileNotifications::IsTold(const std::string& path) const {
  return absl::c_any_of(watches_,
                        [&path](const auto& entry) { return entry.second.path == path && !entry.second.ignores; });
}

std::unique_ptr<runtime::FileWatch> SimulatedWatcher::Watch(const std::string& path, runtime::Runtime& runtime,
                                                            std::function<void()> changed) {
  auto watch = std::make_unique<SimulatedWatch>(notifications_, std::move(changed));
  const auto weak = watch->changed();
  watch->set_number(notifications_.Add(path, [this, weak, &runtime] {
    SeededRandom& random = queue_.random();
    if (options_.never || random.OneIn(options_.drop_one_in)) return;
    queue_.Add(random.Delay(absl::ZeroDuration(), options_.delay), [weak, &runtime] {
      if (weak.expired()) return;
      runtime.Post([weak] {
        if (const auto alive = weak.lock()) (*alive)();
      });
    });
  }));
  return watch;
}

}  // namespace zrs::simulation
