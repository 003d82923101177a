// A small HTTP server on loopback that can be told to misbehave.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/error.h"

namespace normlab_tests {

// What stands at a path, and how it is served.
struct Page {
  std::string body;
  std::size_t stops_after = std::string::npos;  // bytes of one answer; the rest never comes
  bool stalls = false;                          // where it stops the connection stays open
  bool ranges = true;                           // continues where the client asks to
};

class HttpServer {
 public:
  HttpServer() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    normlab::check(::bind(listener_, plain, size) == 0 && ::listen(listener_, 16) == 0 &&
                       ::getsockname(listener_, plain, &size) == 0,
                   "no server on loopback");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void put(const std::string& path, Page page) {
    const std::lock_guard<std::mutex> guard(mutex_);
    pages_[path] = std::move(page);
  }
  // Each request as "/path", or "/path from 100" where the client asks for what follows 100 bytes; then forgotten.
  std::vector<std::string> requests() {
    const std::lock_guard<std::mutex> guard(mutex_);
    return std::exchange(requests_, {});
  }

 private:
  void serve() {
    while (!stop_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) continue;
      answer(client);
      ::close(client);
    }
  }

  void answer(int client) {
    std::string request;
    char buffer[1 << 12];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::recv(client, buffer, sizeof buffer, 0);
      if (count <= 0) return;
      request.append(buffer, static_cast<std::size_t>(count));
    }
    const std::size_t begin = request.find(' ') + 1;
    const std::string path = request.substr(begin, request.find(' ', begin) - begin);
    const std::string field = "Range: bytes=";
    const std::size_t range = request.find(field);
    const std::size_t from = range == std::string::npos ? 0 : std::stoul(request.substr(range + field.size()));
    Page page;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      requests_.push_back(path + (from > 0 ? " from " + std::to_string(from) : ""));
      const auto known = pages_.find(path);
      if (known == pages_.end()) {
        send_all(client, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
      }
      page = known->second;
    }
    const std::string whole = std::to_string(page.body.size());
    std::string status = "200 OK", extra;
    if (from > 0 && page.ranges) {
      if (from >= page.body.size()) {
        send_all(client, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */" + whole +
                             "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
      }
      status = "206 Partial Content";
      extra = "Content-Range: bytes " + std::to_string(from) + "-" + std::to_string(page.body.size() - 1) + "/" +
              whole + "\r\n";
      page.body.erase(0, from);
    }
    send_all(client, "HTTP/1.1 " + status + "\r\n" + extra + "Content-Length: " + std::to_string(page.body.size()) +
                         "\r\nConnection: close\r\n\r\n" + page.body.substr(0, page.stops_after));
    while (page.stalls && !stop_) {  // until the client gives up
      pollfd waiting{client, POLLIN, 0};
      if (::poll(&waiting, 1, 20) > 0 && ::recv(client, buffer, sizeof buffer, 0) <= 0) return;
    }
  }

  static void send_all(int client, const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count = ::send(client, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }

  int listener_;
  unsigned port_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::map<std::string, Page> pages_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace normlab_tests
