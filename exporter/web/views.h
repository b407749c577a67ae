// The read-only answers, each from one snapshot.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "exporter/metrics.h"
#include "exporter/web/api.h"
#include "exporter/web/hook_registry.h"
#include "exporter/web/options.h"
#include "exporter/web/request.h"

namespace slosonde::exporter {

// Web thread.
class Views {
 public:
  // `counters` are the web server's own.
  Views(const WebOptions& options, const WebSources& sources, const WebHooks& hooks, const Trouble& trouble,
        const prometheus::Collectable& counters);

  // Nothing: the path is none of these. The method has been checked to be GET or HEAD.
  std::optional<Response> answer(const RequestHead& head);
  static bool serves(std::string_view path);

 private:
  Response metrics(const RequestHead& head);
  Response healthy() const;
  Response ready() const;
  Response page(const RequestHead& head) const;
  Response api(std::string_view resource, const RequestHead& head) const;
  HooksView hooks() const;

  const WebOptions& options_;
  const WebSources& sources_;
  const WebHooks& hooks_;
  const Trouble& trouble_;
  Metrics metrics_;
  std::string text_;  // of /metrics: one buffer for every scrape
};

// Whether the client takes gzip (RFC 9110, 12.5.3).
bool accepts_gzip(const RequestHead& head);

}  // namespace slosonde::exporter
