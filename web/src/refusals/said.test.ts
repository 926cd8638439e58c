import { describe, expect, it } from "vitest";
import type { Problem } from "#/api/problem";
import { chinese, chineseKinds } from "./chinese";
import type { Code } from "./codes";
import { english, englishKinds } from "./english";
import { kindOf, said, sayingOf } from "./said";

const DENIED: Problem = {
  type: "urn:croupier:error:permission_denied",
  title: "Not allowed",
  status: 403,
  detail: "needs function:player.ban in demo|dev; ask an admin of demo",
  reason: "permission_denied",
  code: "permission_missing",
  details: { missing: "function:player.ban or players:ban", scope: "demo|dev", game_id: "demo" },
};

describe("refusals", () => {
  it("are said in the language of the page, with what they are about", () => {
    const { title, detail, next } = sayingOf(DENIED, "zh");
    expect(title).toBe("没有权限");
    expect(detail).toBe("需要在 demo|dev 拥有 function:player.ban 或 players:ban 权限，请联系 demo 的管理员");
    expect(next).toBe("");
  });

  it("whose code is newer than the page stay in the server's words, with what one does about their kind", () => {
    const saying = sayingOf({ ...DENIED, code: "of_tomorrow" as never }, "zh");
    expect(saying).toEqual({
      title: "没有权限",
      detail: DENIED.detail,
      next: "请向管理员申请权限，或请有权限的人操作。",
    });
    expect(said({ code: "toString" as never, detail: "as it was" }, "zh")).toBe("as it was");
  });

  it("of something between the page and the server keep its title", () => {
    const { code: _, ...others } = DENIED;
    expect(sayingOf({ ...others, reason: "http_502", title: "Bad Gateway" }, "zh").title).toBe("Bad Gateway");
    expect(kindOf("http_502", "zh")).toBeNull();
  });

  it("tell when maintenance is over where the page is read", () => {
    const parameters = { scope: "demo|dev", until: "2026-11-22 13:00:00 UTC", reason: "new season" };
    const told = said({ code: "under_maintenance", parameters, detail: "" }, "zh");
    expect(told).toContain("new season");
    expect(told).not.toContain("UTC");
  });

  it("tell why a game server receives a call, and among how many", () => {
    const why = (code: Code, parameters = {}) => said({ code, parameters, detail: "" }, "zh");
    expect(why("chosen_only", { candidates: "1", agent: "a1" })).toBe(
      "代理 a1：只有这一个代理提供此函数；下一次调用可能去往别处",
    );
    expect(why("chosen_hash", { candidates: "3" })).toBe("与哈希键匹配得分最高（共 3 个可选）");
    expect(why("chosen_all", { chosen: "3", failed: "1" })).toBe("所有正常的游戏服都会收到：共 3 台；其中 1 台失败");
    const canary = { percent: "5", version: "2.0", side: "outside", empty: "", by: "load", candidates: "2" };
    expect(why("chosen_canary", canary)).toBe(
      "灰度：5 % 发往版本 2.0，此次不在灰度范围内；随机抽取的两个中较空闲的一个（共 2 个可选）",
    );
  });

  it("name what changed since an approval was asked for, also where an older server does not say it", () => {
    const drifted = (parameters: Record<string, string>) =>
      said({ code: "approval_drifted", parameters, detail: "" }, "zh");
    expect(drifted({ approval: "a1", what: "arguments_sha256, targets" })).toBe(
      "a1 不再有效：申请之后参数、会收到它的游戏服发生了变化",
    );
    expect(drifted({ approval: "a1", changed: "the arguments changed" })).toBe("a1 不再有效：申请之后内容发生了变化");
  });

  const every = { ...english };
  it.each(Object.keys(every) as (keyof typeof every)[])("say %s in both languages with the same parameters", (code) => {
    const asked = (sentence: (of: (name: string) => string) => string) => {
      const names = new Set<string>();
      for (const value of ["1", ""]) {
        const words = sentence((name) => {
          names.add(name);
          return value;
        });
        expect(words).not.toMatch(/undefined|NaN/);
      }
      return names;
    };
    const inEnglish = asked(english[code]);
    expect([...asked(chinese[code])].every((name) => inEnglish.has(name))).toBe(true);
    expect(chinese[code]((name) => name)).toMatch(/[一-鿿]/);
  });

  it.each(Object.keys(englishKinds) as (keyof typeof englishKinds)[])(
    "of kind %s have a title and a next step",
    (kind) => {
      expect(chineseKinds[kind].title + chineseKinds[kind].next).toMatch(/[一-鿿]/);
      expect(englishKinds[kind].next).not.toBe("");
    },
  );
});
