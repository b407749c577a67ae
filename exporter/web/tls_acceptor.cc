#include "exporter/web/tls_acceptor.h"

#include <sys/stat.h>

#include <utility>

namespace slosonde::exporter {
namespace {

constexpr Duration kLook = std::chrono::seconds(1);

}  // namespace

Result<std::unique_ptr<TlsAcceptor>> TlsAcceptor::open(const config::TlsServer& tls, const std::string& name,
                                                       std::function<Instant()> now, Warn warn) {
  std::unique_ptr<TlsAcceptor> acceptor(new TlsAcceptor(tls, name, std::move(now), std::move(warn)));
  if (const auto read = acceptor->read(); !read) return fail(read.error());
  return acceptor;
}

TlsAcceptor::TlsAcceptor(config::TlsServer tls, std::string name, std::function<Instant()> now, Warn warn)
    : tls_(std::move(tls)), name_(std::move(name)), now_(std::move(now)), warn_(std::move(warn)), looked_(now_()) {}

std::unique_ptr<TlsSession> TlsAcceptor::session(int descriptor) {
  look_again();
  return TlsSession::make(context_.get(), descriptor);
}

Result<void> TlsAcceptor::read() {
  read_ = stamps();  // before: what is written meanwhile is seen the next time
  auto made = make_tls_context(tls_);
  if (!made) {
    config::Problems problems;
    problems.add(made.error().position, made.error().path, made.error().message);
    std::string text = problems.text(name_);
    text.pop_back();
    return fail(ErrorCode::bad_config, std::move(text));
  }
  context_ = std::move(*made);
  return {};
}

TlsAcceptor::Stamps TlsAcceptor::stamps() const {
  Stamps stamps;
  size_t at = 0;
  for (const config::PemFile* file : {&tls_.certificate, &tls_.key, &tls_.client_ca}) {
    struct stat about {};
    Stamp& stamp = stamps[at++];
    if (file->path.empty() || ::stat(file->path.c_str(), &about) != 0) continue;
    stamp = {about.st_ino, static_cast<uint64_t>(about.st_size),
             about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec};
  }
  return stamps;
}

void TlsAcceptor::look_again() {
  const Instant now = now_();
  if (now - looked_ < kLook) return;
  looked_ = now;
  if (stamps() == read_) return;
  const auto read = this->read();
  if (!read && warn_) warn_("certificate not replaced", "the old one goes on: " + read.error().text);
}

}  // namespace slosonde::exporter
