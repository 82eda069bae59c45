#include "sidecar/cli/listeners.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sidecar/replication/limits.h"
#include "sidecar/text/printable.h"

namespace zrs::cli {
namespace {

// What is behind one address. Shared with the server, whose threads ask it.
class Directory {
 public:
  void Add(storage::Storage* storage) { storages_[storage->name()] = storage; }

  absl::StatusOr<transport::AcceptStream> Find(const v1::Hello& hello) const {
    storage::Storage* found = nullptr;
    if (!hello.storage().empty()) {
      found = Named(hello.storage());
    } else if (storages_.size() == 1) {
      found = storages_.begin()->second;
    } else {
      found = Named(hello.follower_name());
    }
    if (found == nullptr) {
      // Nothing of the hello was checked so far.
      const std::string& asked = hello.storage().empty() ? hello.follower_name() : hello.storage();
      return absl::NotFoundError(absl::StrCat("there is no storage \"", text::Clean(asked, replication::kLongestName),
                                              "\" at this address; there are: ", Names()));
    }
    return transport::AcceptStream([found](std::shared_ptr<transport::PublisherStream> stream, v1::Hello accepted) {
      found->Accept(std::move(stream), std::move(accepted));
    });
  }

  void NoteRefusedFollower(const std::string& message, const std::string& remedy) const {
    for (const auto& [name, storage] : storages_) storage->NoteRefusedFollower(message, remedy);
  }

 private:
  storage::Storage* Named(const std::string& name) const {
    const auto found = storages_.find(name);
    return found == storages_.end() ? nullptr : found->second;
  }
  std::string Names() const {
    return absl::StrJoin(storages_, ", ", [](std::string* out, const auto& entry) { out->append(entry.first); });
  }

  std::map<std::string, storage::Storage*> storages_;
};

}  // namespace

absl::Status Listeners::Start(const config::Settings& settings, const std::vector<storage::Storage*>& storages) {
  struct Address {
    bool insecure = false;
    std::shared_ptr<Directory> directory = std::make_shared<Directory>();
  };
  std::map<std::string, Address> addresses;
  for (size_t i = 0; i < settings.storages.size(); ++i) {
    const config::StorageSettings& storage = settings.storages[i];
    if (storage.listen.empty()) continue;
    Address& address = addresses[storage.listen];
    address.insecure = storage.insecure;
    address.directory->Add(storages[i]);
  }
  for (const auto& [listen, address] : addresses) {
    transport::ServerOptions options;
    options.address = listen;
    options.insecure = address.insecure;
    options.on_refused = [directory = address.directory](const std::string& message, const std::string& remedy) {
      directory->NoteRefusedFollower(message, remedy);
    };
    auto server = transport::StartReplicationServer(
        options, [directory = address.directory](const v1::Hello& hello) { return directory->Find(hello); });
    if (!server.ok()) return server.status();
    servers_.push_back(*std::move(server));
  }
  return absl::OkStatus();
}

void Listeners::Attach(monitoring::HealthBoard& health) {
  for (const auto& server : servers_) {
    health.Attach(
        [target = server.get()](const std::string& service, bool serving) { target->SetServing(service, serving); });
  }
}

void Listeners::Shutdown(absl::Duration grace) {
  for (const auto& server : servers_) server->Shutdown(grace);
}

void Listeners::Stop() { servers_.clear(); }

}  // namespace zrs::cli
