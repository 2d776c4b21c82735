//! The words on receipts, in each language.

use domain::Lang;

pub(super) struct Words {
    pub(super) credited: &'static str,
    pub(super) pending: &'static str,
    pub(super) claim: &'static str,
    pub(super) in_doubt: &'static str,
    pub(super) given_back: &'static str,
    pub(super) payment_in_doubt: &'static str,
    pub(super) date: &'static str,
    pub(super) kiosk: &'static str,
    pub(super) operation: &'static str,
    pub(super) card: &'static str,
    pub(super) paid_in: &'static str,
    pub(super) cash: &'static str,
    pub(super) bank_card: &'static str,
    pub(super) paid: &'static str,
    pub(super) acquirer: &'static str,
    pub(super) merchant: &'static str,
    pub(super) terminal: &'static str,
    pub(super) authorisation: &'static str,
    pub(super) entry: &'static str,
    pub(super) contactless: &'static str,
    pub(super) chip: &'static str,
    pub(super) stripe: &'static str,
    pub(super) payment_checked: &'static str,
    pub(super) amount: &'static str,
    pub(super) balance: &'static str,
    pub(super) note_in_doubt: &'static str,
    pub(super) credited_besides: &'static str,
    pub(super) advice_pending: &'static str,
    pub(super) advice_claim: &'static str,
    pub(super) advice_claim_by_card: &'static str,
    pub(super) advice_given_back: &'static str,
    pub(super) advice_payment_in_doubt: &'static str,
    pub(super) advice_in_doubt: &'static str,
    pub(super) keep: &'static str,
}

pub(super) const fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::Es => &ES,
        Lang::Ca => &CA,
        Lang::En => &EN,
        Lang::De => &DE,
        Lang::Fr => &FR,
    }
}

static ES: Words = Words {
    credited: "Recarga de saldo",
    pending: "Recarga pendiente de abono",
    claim: "Reclamación: importe no abonado",
    in_doubt: "Reclamación: billete en comprobación",
    given_back: "Pago devuelto a la tarjeta bancaria",
    payment_in_doubt: "Reclamación: pago en comprobación",
    date: "Fecha",
    kiosk: "Cajero",
    operation: "N.º de operación",
    card: "Tarjeta",
    paid_in: "Forma de pago",
    cash: "Efectivo",
    bank_card: "Tarjeta bancaria",
    paid: "PAGADO",
    acquirer: "Entidad",
    merchant: "Comercio",
    terminal: "Terminal",
    authorisation: "N.º de autorización",
    entry: "Lectura",
    contactless: "Sin contacto",
    chip: "Chip",
    stripe: "Banda magnética",
    payment_checked: "Pago en comprobación",
    amount: "Importe",
    balance: "Saldo de la tarjeta",
    note_in_doubt: "Billete en comprobación",
    credited_besides: "Abonado o por abonar",
    advice_pending: "Hemos recibido su dinero. El importe se abonará en su tarjeta en cuanto se \
        restablezca la conexión. Si mañana no aparece, presente este recibo en:",
    advice_claim: "Hemos recibido su dinero, pero no se ha podido abonar en la tarjeta. Presente \
        este recibo para que se lo devuelvan en:",
    advice_claim_by_card: "Su tarjeta bancaria se ha cobrado, pero el importe no se ha podido \
        abonar en la tarjeta ciudadana. Se lo devolveremos a la tarjeta bancaria. Si en 5 días \
        no aparece, presente este recibo en:",
    advice_given_back: "El importe se ha devuelto a su tarjeta bancaria. Su banco puede tardar \
        unos días en mostrarlo. Si no aparece, presente este recibo en:",
    advice_payment_in_doubt: "Aún no sabemos si su banco ha cobrado este pago. No vuelva a \
        pagar. Si lo ha cobrado, el importe se abonará en su tarjeta sin que tenga que hacer \
        nada. Si en 3 días no es así, presente este recibo en:",
    advice_in_doubt: "No sabemos aún si el billete ha quedado dentro de la máquina. Si es así, se \
        le devolverá. Presente este recibo en:",
    keep: "Conserve este recibo.",
};

static CA: Words = Words {
    credited: "Recàrrega de saldo",
    pending: "Recàrrega pendent d’abonament",
    claim: "Reclamació: import no abonat",
    in_doubt: "Reclamació: bitllet en comprovació",
    given_back: "Pagament tornat a la targeta bancària",
    payment_in_doubt: "Reclamació: pagament en comprovació",
    date: "Data",
    kiosk: "Caixer",
    operation: "Núm. d’operació",
    card: "Targeta",
    paid_in: "Forma de pagament",
    cash: "Efectiu",
    bank_card: "Targeta bancària",
    paid: "PAGAT",
    acquirer: "Entitat",
    merchant: "Comerç",
    terminal: "Terminal",
    authorisation: "Núm. d’autorització",
    entry: "Lectura",
    contactless: "Sense contacte",
    chip: "Xip",
    stripe: "Banda magnètica",
    payment_checked: "Pagament en comprovació",
    amount: "Import",
    balance: "Saldo de la targeta",
    note_in_doubt: "Bitllet en comprovació",
    credited_besides: "Abonat o per abonar",
    advice_pending: "Hem rebut els vostres diners. L’import s’abonarà a la targeta quan es \
        restableixi la connexió. Si demà no hi apareix, presenteu aquest rebut a:",
    advice_claim: "Hem rebut els vostres diners, però no s’han pogut abonar a la targeta. \
        Presenteu aquest rebut perquè us els tornin a:",
    advice_claim_by_card: "S’ha cobrat de la vostra targeta bancària, però l’import no s’ha \
        pogut abonar a la targeta ciutadana. Us el tornarem a la targeta bancària. Si en 5 dies \
        no hi apareix, presenteu aquest rebut a:",
    advice_given_back: "L’import s’ha tornat a la vostra targeta bancària. El banc pot trigar \
        uns dies a mostrar-ho. Si no hi apareix, presenteu aquest rebut a:",
    advice_payment_in_doubt: "Encara no sabem si el vostre banc ha cobrat aquest pagament. No \
        torneu a pagar. Si l’ha cobrat, l’import s’abonarà a la targeta sense que hàgiu de fer \
        res. Si en 3 dies no és així, presenteu aquest rebut a:",
    advice_in_doubt: "Encara no sabem si el bitllet ha quedat dins la màquina. Si és així, us el \
        tornarem. Presenteu aquest rebut a:",
    keep: "Conserveu aquest rebut.",
};

static EN: Words = Words {
    credited: "Card recharge",
    pending: "Recharge to be credited",
    claim: "Claim: amount not credited",
    in_doubt: "Claim: note being checked",
    given_back: "Payment given back to the bank card",
    payment_in_doubt: "Claim: payment being checked",
    date: "Date",
    kiosk: "Kiosk",
    operation: "Operation no.",
    card: "Card",
    paid_in: "Paid in",
    cash: "Cash",
    bank_card: "Bank card",
    paid: "PAID",
    acquirer: "Payment provider",
    merchant: "Merchant",
    terminal: "Terminal",
    authorisation: "Authorisation no.",
    entry: "Read by",
    contactless: "Contactless",
    chip: "Chip",
    stripe: "Magnetic stripe",
    payment_checked: "Payment being checked",
    amount: "Amount",
    balance: "Card balance",
    note_in_doubt: "Note being checked",
    credited_besides: "Credited or to be credited",
    advice_pending: "We have received your money. It will be credited to your card as soon as the \
        connection is back. If it is not there tomorrow, please show this receipt at:",
    advice_claim: "We have received your money, but it could not be credited to your card. Please \
        show this receipt to get it back at:",
    advice_claim_by_card: "Your bank card was charged, but the amount could not be credited to \
        your citizen card. We will give it back to your bank card. If it is not there in 5 days, \
        please show this receipt at:",
    advice_given_back: "The amount was given back to your bank card. Your bank may take a few \
        days to show it. If it does not appear, please show this receipt at:",
    advice_payment_in_doubt: "We do not know yet whether your bank has charged this payment. \
        Please do not pay again. If it has, the amount will be credited to your card without \
        your doing anything. If that has not happened in 3 days, please show this receipt at:",
    advice_in_doubt: "We do not know yet whether the note stayed inside the machine. If it did, \
        you will get it back. Please show this receipt at:",
    keep: "Please keep this receipt.",
};

static DE: Words = Words {
    credited: "Guthaben aufgeladen",
    pending: "Aufladung noch nicht gutgeschrieben",
    claim: "Anspruch: Betrag nicht gutgeschrieben",
    in_doubt: "Anspruch: Geldschein wird geprüft",
    given_back: "Zahlung auf die Bankkarte erstattet",
    payment_in_doubt: "Anspruch: Zahlung wird geprüft",
    date: "Datum",
    kiosk: "Automat",
    operation: "Vorgangsnr.",
    card: "Karte",
    paid_in: "Zahlungsart",
    cash: "Bargeld",
    bank_card: "Bankkarte",
    paid: "BEZAHLT",
    acquirer: "Zahlungsdienst",
    merchant: "Händlernr.",
    terminal: "Terminal",
    authorisation: "Genehmigungsnr.",
    entry: "Gelesen per",
    contactless: "Kontaktlos",
    chip: "Chip",
    stripe: "Magnetstreifen",
    payment_checked: "Zahlung in Prüfung",
    amount: "Betrag",
    balance: "Guthaben der Karte",
    note_in_doubt: "Geldschein in Prüfung",
    credited_besides: "Gutgeschrieben oder vorgemerkt",
    advice_pending: "Wir haben Ihr Geld erhalten. Der Betrag wird gutgeschrieben, sobald die \
        Verbindung wiederhergestellt ist. Fehlt er morgen noch, legen Sie diesen Beleg bitte vor:",
    advice_claim: "Wir haben Ihr Geld erhalten, konnten es der Karte aber nicht gutschreiben. \
        Gegen diesen Beleg erhalten Sie es zurück:",
    advice_claim_by_card: "Ihre Bankkarte wurde belastet, der Betrag konnte der Bürgerkarte aber \
        nicht gutgeschrieben werden. Wir erstatten ihn auf die Bankkarte. Fehlt er nach 5 Tagen \
        noch, legen Sie diesen Beleg bitte vor:",
    advice_given_back: "Der Betrag wurde auf Ihre Bankkarte erstattet. Bis Ihre Bank das \
        anzeigt, können einige Tage vergehen. Fehlt er dann noch, legen Sie diesen Beleg bitte \
        vor:",
    advice_payment_in_doubt: "Wir wissen noch nicht, ob Ihre Bank diese Zahlung belastet hat. \
        Bitte zahlen Sie nicht noch einmal. Wenn ja, wird der Betrag Ihrer Karte von selbst \
        gutgeschrieben. Ist das nach 3 Tagen nicht geschehen, legen Sie diesen Beleg bitte vor:",
    advice_in_doubt: "Wir wissen noch nicht, ob der Geldschein im Automaten geblieben ist. Wenn \
        ja, erhalten Sie ihn zurück. Legen Sie diesen Beleg bitte vor:",
    keep: "Bitte bewahren Sie diesen Beleg auf.",
};

static FR: Words = Words {
    credited: "Recharge de la carte",
    pending: "Recharge en attente de crédit",
    claim: "Réclamation : montant non crédité",
    in_doubt: "Réclamation : billet en vérification",
    given_back: "Paiement remboursé sur la carte bancaire",
    payment_in_doubt: "Réclamation : paiement en vérification",
    date: "Date",
    kiosk: "Borne",
    operation: "N° d’opération",
    card: "Carte",
    paid_in: "Mode de paiement",
    cash: "Espèces",
    bank_card: "Carte bancaire",
    paid: "PAYÉ",
    acquirer: "Prestataire de paiement",
    merchant: "Commerçant",
    terminal: "Terminal",
    authorisation: "N° d’autorisation",
    entry: "Lecture",
    contactless: "Sans contact",
    chip: "Puce",
    stripe: "Piste magnétique",
    payment_checked: "Paiement en vérification",
    amount: "Montant",
    balance: "Solde de la carte",
    note_in_doubt: "Billet en vérification",
    credited_besides: "Crédité ou à créditer",
    advice_pending: "Nous avons reçu votre argent. Le montant sera crédité dès que la connexion \
        sera rétablie. S’il n’apparaît pas demain, présentez ce reçu à :",
    advice_claim: "Nous avons reçu votre argent, mais il n’a pas pu être crédité sur la carte. \
        Présentez ce reçu pour être remboursé à :",
    advice_claim_by_card: "Votre carte bancaire a été débitée, mais le montant n’a pas pu être \
        crédité sur la carte citoyenne. Nous vous le remboursons sur la carte bancaire. S’il \
        n’apparaît pas sous 5 jours, présentez ce reçu à :",
    advice_given_back: "Le montant a été remboursé sur votre carte bancaire. Votre banque peut \
        mettre quelques jours à l’afficher. S’il n’apparaît pas, présentez ce reçu à :",
    advice_payment_in_doubt: "Nous ne savons pas encore si votre banque a débité ce paiement. Ne \
        payez pas une seconde fois. Si c’est le cas, le montant sera crédité sur votre carte \
        sans démarche de votre part. Sinon, sous 3 jours, présentez ce reçu à :",
    advice_in_doubt: "Nous ne savons pas encore si le billet est resté dans la machine. Si c’est \
        le cas, il vous sera rendu. Présentez ce reçu à :",
    keep: "Veuillez conserver ce reçu.",
};
