// Asks zrs for what takes its time, and looks at its status meanwhile.
#ifndef ZRS_SIDECAR_CLI_ASK_AND_SHOW_H_
#define ZRS_SIDECAR_CLI_ASK_AND_SHOW_H_

#include <unistd.h>

#include <chrono>
#include <future>
#include <string>

#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/admin/admin_client.h"
#include "sidecar/cli/terminal/progress_line.h"
#include "sidecar/cli/terminal/terminal.h"

namespace zrs::cli {

// What `ask` returns. It runs on a thread of its own, and `watch` gets the status of each storage (of that name; empty:
// of all), some times in a second, on the calling thread; a signal ends the process meanwhile, with the last words
// (terminal.h) that `watch` has set, and takes the line on the terminal with it: zrs does what it was asked for until
// the one who asked is gone.
template <typename Ask, typename Watch>
auto AskAndWatch(const std::string& admin_socket, const std::string& storage, Ask ask, Watch watch) {
  constexpr std::chrono::milliseconds kInterval(200);
  EndOnSignals(STDERR_FILENO, LineGone(), AfterSignal::kDieOfIt);
  auto answer = std::async(std::launch::async, ask);
  admin::AdminClient client(admin_socket);
  while (answer.wait_for(kInterval) != std::future_status::ready) {
    const auto status = client.Status(absl::Seconds(2));
    if (!status.ok()) continue;
    for (const v1::StorageStatus& one : status->storages()) {
      if (storage.empty() || one.name() == storage) watch(one);
    }
  }
  return answer.get();
}

// For what is of use on a terminal only: elsewhere nothing is watched.
template <typename Ask, typename Show>
auto AskAndShow(const std::string& admin_socket, const std::string& storage, Ask ask, Show show) {
  return IsTerminal(STDERR_FILENO) ? AskAndWatch(admin_socket, storage, ask, show) : ask();
}

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_ASK_AND_SHOW_H_
