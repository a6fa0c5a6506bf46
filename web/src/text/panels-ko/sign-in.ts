import type { enSignIn } from "../panels-en/sign-in.ts";

export const koSignIn: typeof enSignIn = {
  setupTitle: "Fanfare에 오신 것을 환영합니다",
  setupText: "이 서버의 비밀번호를 설정해 주세요. 로그인할 때 사용합니다.",
  password: "비밀번호",
  repeat: "비밀번호 확인",
  rule: "8자 이상 입력해 주세요.",
  mismatch: "비밀번호가 일치하지 않습니다.",
  setupButton: "비밀번호 설정하고 시작하기",
  linkMissing:
    "아직 비밀번호가 없는 서버입니다. 서버를 시작할 때 출력된 설정 링크를 열어 주세요. `fanfare reset-password`를 실행하면 새 링크를 받을 수 있습니다.",
  linkInvalid:
    "이미 사용했거나 만료된 설정 링크입니다. 서버를 다시 시작하거나 fanfare reset-password를 실행해 새 링크를 받아 주세요.",
  title: "로그인",
  button: "로그인",
  wrong: "비밀번호가 올바르지 않습니다.",
  notKept: "브라우저가 이 페이지의 쿠키를 저장하지 않습니다. 이 주소의 쿠키를 허용해 주세요.",
  again: "세션이 끝났습니다. 입력 내용은 그대로입니다.",
  forgotten: "비밀번호를 잊으셨나요? 서버에서 `fanfare reset-password`를 실행해 주세요.",
};
