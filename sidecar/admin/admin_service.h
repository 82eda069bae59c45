// The Admin service of a running zrs: what only who may use its admin socket can ask.
#ifndef ZRS_SIDECAR_ADMIN_ADMIN_SERVICE_H_
#define ZRS_SIDECAR_ADMIN_ADMIN_SERVICE_H_

#include <memory>
#include <vector>

#include "sidecar/storage/storage.h"
#include "sidecar/transport/queued_service.h"

namespace zrs::admin {

// zrs.v1.Admin over `storages`, which outlive it.
std::unique_ptr<transport::QueuedService> MakeAdminService(std::vector<storage::Storage*> storages);

}  // namespace zrs::admin

#endif  // ZRS_SIDECAR_ADMIN_ADMIN_SERVICE_H_
