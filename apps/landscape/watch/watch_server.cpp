#include "apps/landscape/watch/watch_server.h"

#include <map>
#include <mutex>
#include <utility>

#include "apps/landscape/report/report_page.h"
#include "apps/landscape/report/report_viewer.h"
#include "apps/landscape/watch/local_server.h"
#include "apps/landscape/watch/watch_figures.h"
#include "apps/landscape/watch/watch_page.h"
#include "apps/landscape/watch/watch_status.h"
#include "kernels/core/check.h"
#include "landscape/results/result_names.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kOpenPage = 5;            // seconds: a page asks for the state every one or two
constexpr int kNarrow = 520, kWide = 760;  // px, figures' widths on phones and elsewhere

Json smallest_json(const WatchStatus& status) {
  if (!status.smallest) return nullptr;
  Json json = {{"value", status.smallest->value}, {"x", status.smallest->x}};
  json["y"] = status.smallest->y ? Json(*status.smallest->y) : Json();
  return json;
}

/// Content-Security-Policy: the page may load nothing from elsewhere.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A report has its scripts, styles and pictures in it, and asks for nothing.
constexpr const char* kReportPolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A figure has styles and pictures in it, and no script.
constexpr const char* kFigurePolicy =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'";

HttpAnswer refusal(int status, const std::string& why) {
  return {.status = status, .body = why + "\n"};
}

/// Returns a handler with a constant answer.
LocalServer::Handler contents(std::string_view body, const std::string& type) {
  return [body, type](const HttpRequest::Parameters&) -> HttpAnswer {
    return {.type = type + "; charset=utf-8", .body = std::string(body), .policy = kPolicy};
  };
}

}  // namespace

class WatchServer::Answers {
 public:
  explicit Answers(Settings settings)
      : settings_(std::move(settings)), server_(settings_.port, handlers()) {}

  std::string url() const { return server_.url(); }

  void show(WatchNews news) {
    const std::lock_guard lock(news_mutex_);
    news_ = std::move(news);
  }

  bool owes_news() const {
    const std::lock_guard lock(news_mutex_);
    const bool open = asked_ > 0 && steady_seconds() - asked_ < kOpenPage;
    return open && (told_ != news_.version || (answered_ != news_.version && answered_ >= 0));
  }

 private:
  std::map<std::string, LocalServer::Handler> handlers() {
    using Parameters = HttpRequest::Parameters;
    return {
        {"", contents(kWatchPage, "text/html")},
        {"page.css", contents(kWatchStyles, "text/css")},
        {"page.js", contents(kWatchScript, "text/javascript")},
        {"state",
         [this](const Parameters&) -> HttpAnswer {
           return {.type = "application/json", .body = json_text(state())};
         }},
        {"figure.svg", [this](const Parameters& parameters) { return figure(parameters); }},
        {"report", [this](const Parameters&) { return report(); }},
    };
  }

  WatchNews news() const {
    const std::lock_guard lock(news_mutex_);
    return news_;
  }

  Json state() {
    WatchNews news;
    {
      const std::lock_guard lock(news_mutex_);
      news = news_;
      asked_ = steady_seconds();
      told_ = news_.version;
    }
    Json json = {{"version", news.version},
                 {"state", "waiting"},
                 {"gone", !news.there},
                 {"file", settings_.file},
                 {"report", has_report_viewer()}};
    if (!news.surface) return json;
    const Surface& surface = *news.surface;
    const std::string plane = pictured_values(surface, settings_.picture);
    const WatchStatus status = status_of(surface, plane, news.progress, steady_seconds());
    json["state"] = status.finished() ? "finished" : "running";
    json["title"] = title_of(surface.provenance);
    json["values"] = figure_options(surface, settings_.picture).value_label;
    json["kinds"] = Json::array();
    for (const PictureKind kind : watch_kinds(surface)) json["kinds"].push_back(name_of(kind));
    json["done"] = status.done;
    json["total"] = status.total;
    json["rate"] = status.rate;
    json["seconds_left"] = status.seconds_left;
    json["idle"] = status.idle;
    json["stalled"] = status.stalled;
    json["smallest"] = smallest_json(status);
    return json;
  }

  HttpAnswer figure(const HttpRequest::Parameters& parameters) {
    const auto parameter = [&](const std::string& name) {
      const auto found = parameters.find(name);
      return found == parameters.end() ? "" : found->second;
    };
    const WatchNews news = this->news();
    if (!news.surface) return refusal(404, settings_.file + " is not there yet");
    HttpAnswer answer;
    try {
      const PictureKind kind = picture_kind_named(parameter("kind"));
      answer = {.type = "image/svg+xml",
                .body = drawn(news, kind, parameter("narrow") == "1"),
                .policy = kFigurePolicy};
    } catch (const Error& error) {
      answer = refusal(422, error.what());
    }
    const std::lock_guard lock(news_mutex_);
    answered_ = news.version;
    return answer;
  }

  /// Returns a figure, drawn once for all that ask.
  std::string drawn(const WatchNews& news, PictureKind kind, bool narrow) {
    const std::lock_guard drawing(figures_mutex_);
    if (figures_of_ != news.version) figures_.clear();
    figures_of_ = news.version;
    std::string& svg = figures_[{kind, narrow}];
    if (!svg.empty()) return svg;
    PictureOptions options = settings_.picture;
    options.look.width = narrow ? kNarrow : kWide;
    options.look.height = narrow ? kNarrow : 640;
    return svg = svg_of(watch_figure(*news.surface, settings_.file, kind, options));
  }

  HttpAnswer report() {
    if (!has_report_viewer())
      return refusal(404, "built without the report's page: nodejs and npm were missing");
    try {
      return {.type = "text/html; charset=utf-8",
              .body = report_page({settings_.file}, {.command = settings_.command}),
              .policy = kReportPolicy};
    } catch (const Error& error) {
      return refusal(503, error.what());
    }
  }

  Settings settings_;

  mutable std::mutex news_mutex_;  // news_ to answered_
  WatchNews news_;
  double asked_ = 0;       // when /state was asked for last
  int64_t told_ = -1;      // the version that it said
  int64_t answered_ = -1;  // the version of the last figure

  std::mutex figures_mutex_;
  int64_t figures_of_ = -1;
  std::map<std::pair<PictureKind, bool>, std::string> figures_;

  LocalServer server_;  // last: it uses all the others
};

WatchServer::WatchServer(Settings settings)
    : answers_(std::make_unique<Answers>(std::move(settings))) {}

WatchServer::~WatchServer() = default;

std::string WatchServer::url() const {
  return answers_->url();
}

void WatchServer::show(WatchNews news) {
  answers_->show(std::move(news));
}

bool WatchServer::owes_news() const {
  return answers_->owes_news();
}

}  // namespace topograd
