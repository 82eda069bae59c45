// Asks zrs for what takes its time, and looks at its status meanwhile, for the terminal.
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

// What `ask` returns. Where standard error is a terminal it runs on a thread of its own, and `show` gets the status of
// each storage (of that name; empty: of all), some times in a second, on the calling thread; a signal ends the process
// meanwhile, and takes the line on the terminal with it: zrs does what it was asked for until the one who asked is
// gone.
template <typename Ask, typename Show>
auto AskAndShow(const std::string& admin_socket, const std::string& storage, Ask ask, Show show) {
  constexpr std::chrono::milliseconds kInterval(200);
  if (!IsTerminal(STDERR_FILENO)) return ask();
  auto answer = std::async(std::launch::async, ask);
  EndOnSignals(STDERR_FILENO, kLineGone, AfterSignal::kDieOfIt);
  admin::AdminClient client(admin_socket);
  while (answer.wait_for(kInterval) != std::future_status::ready) {
    const auto status = client.Status(absl::Seconds(2));
    if (!status.ok()) continue;
    for (const v1::StorageStatus& one : status->storages()) {
      if (storage.empty() || one.name() == storage) show(one);
    }
  }
  return answer.get();
}

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_ASK_AND_SHOW_H_
