// Notifications about files from Linux's inotify.
#ifndef ZRS_SIDECAR_RUNTIME_INOTIFY_WATCHER_H_
#define ZRS_SIDECAR_RUNTIME_INOTIFY_WATCHER_H_

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "sidecar/runtime/runtime.h"

namespace zrs::runtime {

// Watches a file and its directory, and follows the name when it comes to lead to another file (a pack). Where inotify
// is not to be had (limits exhausted, no such directory), the watch says native() == false and the reason is logged
// once: the slow poll alone remains. A file that is not there yet is no such reason: its directory tells when it comes.
//
// One inotify instance, opened at the first Watch, serves all watches of a watcher: have one watcher in a process.
// Watch may be called from any thread. A watch is destroyed on its runtime's strand, before its runtime and before the
// watcher; afterwards `changed` is not called any more. Events that come before `changed` has begun to run are merged
// into that one call.
class InotifyWatcher final : public FileWatcher {
 public:
  // `io_context` outlives the watcher; events are read on whatever threads run it.
  explicit InotifyWatcher(asio::io_context& io_context);
  ~InotifyWatcher() override;
  InotifyWatcher(const InotifyWatcher&) = delete;
  InotifyWatcher& operator=(const InotifyWatcher&) = delete;

  std::unique_ptr<FileWatch> Watch(const std::string& path, Runtime& runtime, std::function<void()> changed) override;

 private:
  class Instance;
  class Handle;
  std::shared_ptr<Instance> instance_;
};

}  // namespace zrs::runtime

#endif  // ZRS_SIDECAR_RUNTIME_INOTIFY_WATCHER_H_
