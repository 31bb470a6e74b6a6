import type { ServiceName } from "../environment.ts";
import { INFRAHUB_SERVICES } from "../services.ts";
import { type Container, parseContainers } from "./_containers.ts";
import { items, members, number, text, texts } from "../untyped.ts";

/** What is known of a pod. */
export interface Pod {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Name of the workload that made it, as far as it can be told; its own otherwise. */
  readonly workload: string;
  readonly phase: string;
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  /** Those of which one has to be chosen. */
  readonly containers: readonly Container[];
}

/** What scales pods. */
export interface Workload {
  readonly kind: "deployment" | "statefulset";
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Labels that its pods are selected by. */
  readonly selector: Readonly<Record<string, string>>;
  readonly templateLabels: Readonly<Record<string, string>>;
  readonly replicas: number;
}

/** Reads `kubectl get pods -o json`. */
export function parsePods(json: unknown): Pod[] {
  return items(members(json).items).map((item) => {
    const { metadata, status } = members(item);
    const { name, labels, ownerReferences, deletionTimestamp } = members(metadata);
    const { phase, conditions } = members(status);
    return {
      name: text(name),
      labels: texts(labels),
      workload: workloadOf(text(name), texts(labels), items(ownerReferences)[0]),
      phase: text(phase),
      isReady: items(conditions).map(members).some((one) =>
        one.type === "Ready" && one.status === "True"
      ),
      isTerminating: text(deletionTimestamp) !== "",
      containers: parseContainers(item),
    };
  });
}

/** Reads `kubectl get deployment -o json`, or the same of a statefulset. */
export function parseWorkloads(kind: Workload["kind"], json: unknown): Workload[] {
  return items(members(json).items).map((item) => {
    const { metadata, spec } = members(item);
    const { name, labels, annotations } = members(metadata);
    const { selector, template, replicas } = members(spec);
    return {
      kind,
      name: text(name),
      labels: texts(labels),
      annotations: texts(annotations),
      selector: texts(members(selector).matchLabels),
      templateLabels: texts(members(members(template).metadata).labels),
      replicas: number(replicas),
    };
  });
}

/** The pods of a service; see {@linkcode matching}. Those that have ended are left out. */
export function podsOf(service: ServiceName, pods: readonly Pod[]): Pod[] {
  const alive = pods.filter(({ phase }) => phase !== "Succeeded" && phase !== "Failed");
  return matching(service, alive, ({ labels }) => [labels], ({ workload }) => workload);
}

/** The workloads of a service, of both kinds; see {@linkcode matching}. */
export function workloadsOf(service: ServiceName, workloads: readonly Workload[]): Workload[] {
  return matching(
    service,
    workloads,
    ({ labels, selector, templateLabels }) => [labels, selector, templateLabels],
    ({ name }) => name,
  );
}

/** The pod to run commands in. */
export interface PodChoice {
  readonly pod: Pod;
  /** Another one would do as well, and neither is ready: which one holds the data is not known. */
  readonly isGuess: boolean;
}

/**
 * Chooses the pod to run commands in: it runs and is not about to end; a primary before others, then
 * one that is ready before others.
 *
 * A pod that runs and is not ready is still taken when there is no better one: a database that has
 * to be restored, or that is stopped for its dump, is not ready.
 */
export function choosePod(pods: readonly Pod[]): PodChoice | undefined {
  const rank = (pod: Pod) => (isPrimary(pod) ? 2 : 0) + (pod.isReady ? 1 : 0);
  const [pod, next] = pods
    .filter(({ phase, isTerminating }) => phase === "Running" && !isTerminating)
    .sort((a, b) => rank(b) - rank(a));
  if (pod === undefined) return undefined;
  return { pod, isGuess: !pod.isReady && next !== undefined && rank(next) === rank(pod) };
}

/** Whether the pod belongs to the workload. */
export function isPodOf(workload: Workload, pod: Pod): boolean {
  const selector = Object.entries(workload.selector);
  if (selector.length === 0) return pod.workload === workload.name;
  return selector.every(([name, value]) => pod.labels[name] === value);
}

function isPrimary({ labels }: Pod): boolean {
  // The first is CloudNativePG's own; `role` is its older name and that of other operators.
  return labels["cnpg.io/instanceRole"] === "primary" || labels["role"] === "primary";
}

/**
 * What belongs to a service: by the first label that anything has, else by name.
 *
 * The chart gives the API server's pods another label, so that they are found by name alone.
 */
function matching<T>(
  service: ServiceName,
  candidates: readonly T[],
  labelsOf: (candidate: T) => readonly Readonly<Record<string, string>>[],
  nameOf: (candidate: T) => string,
): T[] {
  for (const label of ["app.kubernetes.io/component", "app", "component", "infrahub/service"]) {
    const found = candidates.filter((one) =>
      labelsOf(one).some((labels) => labels[label] === service)
    );
    if (found.length > 0) return found;
  }
  const ending = candidates.filter((one) => `-${nameOf(one)}`.endsWith(`-${service}`));
  if (ending.length > 0) return ending;
  return candidates.filter((one) => isNamedAfter(service, nameOf(one)));
}

/** Whether a name has the service's name as whole segments, and not a longer service's. */
function isNamedAfter(service: ServiceName, name: string): boolean {
  const has = (segments: string) => `-${name}-`.includes(`-${segments}-`);
  return has(service) &&
    !INFRAHUB_SERVICES.some((other) =>
      other !== service && `-${other}-`.includes(`-${service}-`) && has(other)
    );
}

function workloadOf(
  name: string,
  labels: Readonly<Record<string, string>>,
  owner: unknown,
): string {
  const { kind, name: ownerName } = members(owner);
  const hash = labels["pod-template-hash"];
  if (kind === "ReplicaSet" && hash !== undefined && text(ownerName).endsWith(`-${hash}`)) {
    return text(ownerName).slice(0, -hash.length - 1);
  }
  if (kind === "StatefulSet") return text(ownerName);
  // As names are made: `-<template hash>-<five characters>` by a deployment, `-<ordinal>` by others.
  return name.replace(/-[a-z0-9]{6,10}-[a-z0-9]{5}$|-\d+$/, "");
}
