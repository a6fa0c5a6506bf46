/** Below 1024 RTMP and RTMPS only ever use these. */
const LOW_PORTS: ReadonlySet<number> = new Set([80, 443]);
const LOW_PORT_MAX = 1_023;
const PORT_MAX = 65_535;

/**
 * Services that listen inside networks and trust whoever reaches them. No platform takes RTMP there; those known to
 * use odd ports use 8080 (CHZZK), 1936, 2935, 2936 (LinkedIn) and 5222 (Mux), so everything not listed is allowed.
 */
const SERVICE_PORTS: ReadonlySet<number> = new Set([
  1433, // SQL Server
  1521, // Oracle
  2049, // NFS
  2181, // ZooKeeper
  2375, // Docker
  2376, // Docker over TLS
  2379, // etcd
  2380, // etcd peers
  3306, // MySQL
  3389, // remote desktop
  4222, // NATS
  5432, // PostgreSQL
  5672, // RabbitMQ
  5900, // VNC
  5984, // CouchDB
  5985, // Windows remote management
  5986, // Windows remote management over TLS
  6379, // Redis
  6443, // Kubernetes
  8086, // InfluxDB
  8200, // Vault
  8500, // Consul
  9042, // Cassandra
  9092, // Kafka
  9200, // Elasticsearch
  9300, // Elasticsearch nodes
  10_250, // Kubernetes nodes
  11_211, // memcached
  15_672, // RabbitMQ management
  27_017, // MongoDB
  27_018, // MongoDB shards
]);

/** Whether a target may listen on this port. */
export function isTargetPort(port: number): boolean {
  if (!Number.isInteger(port) || port < 1 || port > PORT_MAX) return false;
  return port <= LOW_PORT_MAX ? LOW_PORTS.has(port) : !SERVICE_PORTS.has(port);
}
